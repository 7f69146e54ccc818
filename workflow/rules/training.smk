# Policies and seeds -> weights -> predictions, for the sweep and for the interventions alike.
#
# Weights lie in the run store (results/<study>/runs), each under a hash of all it depends on, and are
# no outputs of a rule: Snakemake deletes outputs before it runs a job again, and a job that gained a
# strength must find the runs it already has. The declared output is the list of a seed's runs.


rule sweep_policies:
    output:
        policy_files("sweep"),
    params:
        settings=STUDY.digest("augmentation.axis", "sweep.strengths"),
    log:
        log("policies.sweep"),
    benchmark:
        times("policies.sweep")
    shell:
        daclass("policies", "--stage sweep")


rule train:
    input:
        index=FILES.table("index"),
        classes=FILES.table("classes"),
        beton=lambda wildcards: beton("train", STUDY.draw(int(wildcards.seed))),
        policies=lambda wildcards: policy_files(wildcards.stage),
    output:
        FILES.trained("{stage}", "{seed}"),
    params:
        settings=STUDY.training_digest(),
    threads: STUDY.machine.threads
    log:
        log("train.{stage}.seed{seed}"),
    benchmark:
        times("train.{stage}.seed{seed}")
    shell:
        daclass("train", "--stage {wildcards.stage} --seed {wildcards.seed}")


rule predict:
    input:
        index=FILES.table("index"),
        beton=beton("val", -1),
        trained=lambda wildcards: trained(wildcards.stage),
    output:
        FILES.predictions("{stage}"),
    params:
        settings=STUDY.digest("beton", "training"),
    threads: STUDY.machine.threads
    log:
        log("predict.{stage}"),
    benchmark:
        times("predict.{stage}")
    shell:
        daclass("predict", "--stage {wildcards.stage}")

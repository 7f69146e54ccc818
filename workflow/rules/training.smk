# Policies and seeds -> weights -> predictions, for all phases alike.
#
# Weights lie in the run store (results/runs, shared by all studies), each under a hash of all it depends on, and are
# no outputs of a rule: Snakemake deletes outputs before it runs a job again, and a job that gained a
# strength must find the runs it already has. The declared output is the list of a seed's runs.


rule sweep_policies:
    localrule: True  # a second of work
    output:
        policy_files("sweep"),
    params:
        settings=STUDY.digest("augmentation.axis", "sweep.strengths"),
    log:
        log("policies.sweep"),
    benchmark:
        times("policies.sweep")
    shell:
        daclass("policies", "--phase sweep")


rule train:
    input:
        index=FILES.table("index"),
        classes=FILES.table("classes"),
        beton=lambda wildcards: beton("train", STUDY.draw(int(wildcards.seed))),
        policies=lambda wildcards: policy_files(wildcards.phase),
        parents=lambda wildcards: parents(wildcards.phase, wildcards.seed),
        val=beton("val", -1) if STUDY.machine.validate_every else [],
    output:
        FILES.trained("{phase}", "{seed}"),
    params:
        settings=lambda wildcards: recipe(wildcards.phase),
    threads: STUDY.machine.threads * STUDY.training.processes
    resources:
        gpu=gpus(STUDY.training.processes),
        mem_mb=lambda wildcards, attempt: attempt * train_mb(STUDY, wildcards.phase),
    log:
        log("train.{phase}.seed{seed}"),
    benchmark:
        times("train.{phase}.seed{seed}")
    shell:
        daclass(
            "train",
            "--phase {wildcards.phase} --seed {wildcards.seed}",
            processes=STUDY.training.processes,
        )


rule predict:
    input:
        index=FILES.table("index"),
        beton=beton("val", -1),
        trained=lambda wildcards: trained(wildcards.phase),
    output:
        FILES.predictions("{phase}"),
    params:
        settings=STUDY.digest("beton", "training", "analysis.views", "analysis.logit_shift")
        + VERSION,  # of the tables' layout
    threads: STUDY.machine.threads
    resources:
        gpu=gpus(),
        mem_mb=lambda wildcards, attempt: attempt * predict_mb(STUDY, wildcards.phase),
    log:
        log("predict.{phase}"),
    benchmark:
        times("predict.{phase}")
    shell:
        daclass("predict", "--phase {wildcards.phase}")

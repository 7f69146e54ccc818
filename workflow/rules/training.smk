# Policies and seeds -> weights -> predictions, for all phases alike.
#
# Weights lie in the run store, each under a hash of all it depends on, and are no outputs of a
# rule: Snakemake deletes outputs before it runs a job again, and a job that gained a strength must
# find the runs it already has. The declared output is the list of a seed's runs.


rule sweep_policies:
    localrule: True  # a second of work
    input:
        reads("policies", phase="sweep"),
    output:
        writes("policies", phase="sweep"),
    params:
        digest=digest("policies", phase="sweep"),
    log:
        log("policies.sweep"),
    shell:
        daclass("policies", "--phase sweep")


rule train:
    input:
        lambda wildcards: reads("train", phase=wildcards.phase, seed=wildcards.seed),
    output:
        pattern("train", phase="{phase}", seed="{seed}"),
    params:
        digest=lambda wildcards: digest("train", phase=wildcards.phase, seed=wildcards.seed),
    threads: STUDY.machine.threads * STUDY.training.processes
    resources:
        **gpus(STUDY.training.processes),
        mem_mb=lambda wildcards, attempt: attempt * train_mb(STUDY, wildcards.phase),
    log:
        log("train.{phase}.seed{seed}"),
    shell:
        daclass(
            "train",
            "--phase {wildcards.phase} --seed {wildcards.seed}",
            processes=STUDY.training.processes,
        )


rule predict:
    input:
        lambda wildcards: reads("predict", phase=wildcards.phase),
    output:
        pattern("predict", phase="{phase}"),
    params:
        digest=lambda wildcards: digest("predict", phase=wildcards.phase),
    threads: STUDY.machine.threads
    resources:
        **gpus(),
        mem_mb=lambda wildcards, attempt: attempt * predict_mb(STUDY, wildcards.phase),
    log:
        log("predict.{phase}"),
    shell:
        daclass("predict", "--phase {wildcards.phase}")


if has("preserved"):

    rule preserved:
        input:
            reads("preserved"),
        output:
            writes("preserved"),
        params:
            digest=digest("preserved"),
        threads: STUDY.machine.threads
        resources:
            **gpus(),
            mem_mb=lambda wildcards, attempt: attempt * train_mb(STUDY, "sweep"),
        log:
            log("preserved"),
        shell:
            daclass("preserved")

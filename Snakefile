# A whole study: snakemake --cores all --config study=configs/demo.yaml


include: "workflow/rules/common.smk"


if STUDY.sweep:

    include: "workflow/rules/data.smk"
    include: "workflow/rules/training.smk"

else:

    include: "workflow/rules/predictions.smk"


include: "workflow/rules/analysis.smk"
include: "workflow/rules/report.smk"


wildcard_constraints:
    phase="sweep|interventions|fine_tuning",
    seed=r"\d+",
    draw=r"\d+",


rule all:
    default_target: True
    message:
        "everything is there"
    input:
        [list(map(str, job.outputs())) for job in JOBS],

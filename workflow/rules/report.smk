# Tables -> figures, summary.json and the report.


def tables():
    return [FILES.table(name) for name in stages.table_names(STUDY)]


rule figures:
    input:
        tables(),
    output:
        # Figures without data are not drawn; these two always have some.
        [
            FILES.figures / f"{stem}.{ending}"
            for stem in ("accuracy_by_strength", "class_effects")
            for ending in ("svg", "png", "csv")
        ],
    params:
        settings=STUDY.digest("analysis.categories"),
    log:
        log("figures"),
    benchmark:
        times("figures")
    shell:
        daclass("figures")


rule summary:
    input:
        tables(),
        [
            FILES.trained(stage, seed)
            for stage in stages.stages(STUDY)
            for seed in stages.seeds(STUDY, stage)
        ],
        rules.figures.output,  # so that its time is known
    output:
        FILES.summary,
    params:
        settings=STUDY.digest(),
    log:
        log("summary"),
    benchmark:
        times("summary")
    shell:
        daclass("summary")


rule report:
    input:
        tables(),
        rules.figures.output,
        FILES.summary,
    output:
        FILES.report,
    log:
        log("report"),
    benchmark:
        times("report")
    shell:
        daclass("report")

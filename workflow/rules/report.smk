# Tables -> figures, summary.json and the report.


rule figures:
    input:
        findings(),
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
        findings(),
        [trained(phase) for phase in STUDY.phases],
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
        findings(),
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

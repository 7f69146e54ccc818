# Tables -> example pictures, figures, summary.json and the report.


if STUDY.sweep:

    rule examples:
        input:
            FILES.predictions("sweep"),
            tables("index", "annotations", "effects", "categories"),
            [] if STUDY.data.source == "folder" else FILES.pictures,
        output:
            FILES.table("examples"),
        params:
            settings=STUDY.digest("seed", "data", "beton", "augmentation.axis", "sweep", "analysis.reference"),
        log:
            log("examples"),
        benchmark:
            times("examples")
        shell:
            daclass("examples")

    if "realised_area" in stages.drawn_names(STUDY):

        rule realised:
            input:
                FILES.table("index"),
                [] if STUDY.data.source == "folder" else FILES.pictures,
            output:
                FILES.table("realised_area"),
            params:
                settings=STUDY.digest("data", "beton", "sweep"),
            log:
                log("realised"),
            benchmark:
                times("realised")
            shell:
                daclass("realised")


rule figures:
    input:
        drawn(),
    output:
        [figure(stem, ending) for stem in stages.figure_stems(STUDY) for ending in ENDINGS],
    params:
        settings=STUDY.digest("analysis.categories", "analysis.confidence"),
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
        drawn(),
        rules.figures.output,
        FILES.summary,
    output:
        report(
            str(FILES.report),
            caption="../captions/report.rst",
            category="The whole report",
            labels={"figure": "All questions on one page"},
        ),
    log:
        log("report"),
    benchmark:
        times("report")
    shell:
        daclass("report")

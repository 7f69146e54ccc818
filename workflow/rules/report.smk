# Tables -> example pictures, figures, summary.json and the report.


if has("examples"):

    rule examples:
        input:
            reads("examples"),
        output:
            writes("examples"),
        params:
            digest=digest("examples"),
        log:
            log("examples"),
        shell:
            daclass("examples")


if has("realised"):

    rule realised:
        input:
            reads("realised"),
        output:
            writes("realised"),
        params:
            digest=digest("realised"),
        log:
            log("realised"),
        shell:
            daclass("realised")


rule figures:
    input:
        reads("figures"),
    output:
        [figure(path) for path in job("figures").outputs()],
    params:
        digest=digest("figures"),
    log:
        log("figures"),
    shell:
        daclass("figures")


rule summary:
    input:
        reads("summary"),
    output:
        writes("summary"),
    params:
        digest=digest("summary"),
    log:
        log("summary"),
    shell:
        daclass("summary")


rule report:
    input:
        reads("report"),
    output:
        report(
            str(FILES.report),
            caption="../captions/report.rst",
            category="The whole report",
            labels={"figure": "All questions on one page"},
        ),
        receipt("report"),
    params:
        digest=digest("report"),
    log:
        log("report"),
    shell:
        daclass("report")

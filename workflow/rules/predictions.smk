# Predictions that other programs made -> the tables that a training study has at that point.


rule predictions:
    input:
        literal(STUDY.data.input_files()),
    output:
        tables("index", "classes", "annotations", "truth", "notes"),
        FILES.predictions("sweep"),
    params:
        settings=STUDY.digest("data", "comparison"),
    log:
        log("predictions"),
    benchmark:
        times("predictions")
    shell:
        daclass("predictions")

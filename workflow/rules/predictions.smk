# Predictions that other programs made -> the tables that a training study has at that point.


rule predictions:
    output:
        writes("predictions"),
    params:
        digest=digest("predictions"),
    log:
        log("predictions"),
    shell:
        daclass("predictions")

# Pictures and annotations -> index tables and .beton files.

if has("pictures"):

    rule pictures:
        output:
            directory(FILES.pictures),
            receipt("pictures"),
        params:
            digest=digest("pictures"),
        log:
            log("pictures"),
        shell:
            daclass("pictures")


rule index:
    input:
        reads("index"),
    output:
        writes("index"),
    params:
        digest=digest("index"),
    log:
        log("index"),
    shell:
        daclass("index")


rule annotations:
    input:
        reads("annotations"),
    output:
        writes("annotations"),
    params:
        digest=digest("annotations"),
    priority: 1  # what is wrong in them is said before hours of work
    log:
        log("annotations"),
    shell:
        daclass("annotations")


if has("beton"):

    rule train_beton:
        input:
            lambda wildcards: reads("beton", split="train", draw=wildcards.draw),
        output:
            pattern("beton", split="train", draw="{draw}"),
        params:
            digest=lambda wildcards: digest("beton", split="train", draw=wildcards.draw),
        threads: STUDY.machine.threads
        log:
            log("beton.train-{draw}"),
        shell:
            daclass("beton", "--split train --draw {wildcards.draw}")

    rule val_beton:
        input:
            reads("beton", split="val", draw="-1"),
        output:
            writes("beton", split="val", draw="-1"),
        params:
            digest=digest("beton", split="val", draw="-1"),
        threads: STUDY.machine.threads
        log:
            log("beton.val"),
        shell:
            daclass("beton", "--split val")

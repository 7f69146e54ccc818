# Pictures and annotations -> index tables and .beton files.

if STUDY.data.source != "folder":

    rule pictures:
        output:
            directory(FILES.pictures),
        params:
            settings=STUDY.pictures_digest(),
        log:
            log("pictures"),
        benchmark:
            times("pictures")
        shell:
            daclass("pictures")


rule index:
    input:
        [] if STUDY.data.source == "folder" else FILES.pictures,
        literal(STUDY.data.input_files()),
    output:
        tables("index", "classes", "annotations", "truth"),
        tables("overlaps") if stages.overlaps_from(STUDY) == "real" else [],
    params:
        settings=STUDY.digest("data"),
        # A function, so that only who decides about the index looks at every file, not every job.
        listing=lambda wildcards: (
            fingerprint(STUDY.data.root, STUDY.data.splits) if STUDY.data.source == "folder" else ""
        ),
    log:
        log("index"),
    benchmark:
        times("index")
    shell:
        daclass("index")


rule train_beton:
    input:
        FILES.table("index"),
    output:
        FILES.beton("train", "{draw}"),
    params:
        settings=STUDY.digest("beton"),
    threads: STUDY.machine.threads
    log:
        log("beton.train-{draw}"),
    benchmark:
        times("beton.train-{draw}")
    shell:
        daclass("beton", "--split train --draw {wildcards.draw}")


rule val_beton:
    input:
        FILES.table("index"),
    output:
        FILES.beton("val", -1),
    params:
        settings=STUDY.digest("beton"),
    threads: STUDY.machine.threads
    log:
        log("beton.val"),
    benchmark:
        times("beton.val")
    shell:
        daclass("beton", "--split val")

# Predictions and annotations -> effects, confusions, categories -> policies; and what they changed.


rule measure:
    input:
        evidence("sweep"),
    output:
        tables(*stages.MEASURED),
    params:
        settings=STUDY.digest(
            "analysis.reference",
            "analysis.confidence",
            "analysis.empty_labels",
            "analysis.affected",
            "analysis.bootstrap",
            "sweep",
            "comparison",
        ),
    log:
        log("measure"),
    benchmark:
        times("measure")
    shell:
        daclass("measure")


rule categories:
    input:
        tables("effects", "confusions", "index", "annotations", "classes"),
        tables("overlaps") if stages.overlaps_from(STUDY) == "real" else [],
    output:
        tables("categories", "sensitivity", "top_confusions"),
    params:
        settings=STUDY.digest("analysis.categories"),
    log:
        log("categories"),
    benchmark:
        times("categories")
    shell:
        daclass("categories")


rule planted:
    input:
        tables("truth", "effects", "confusions", "categories"),
    output:
        FILES.table("planted"),
    log:
        log("planted"),
    benchmark:
        times("planted")
    shell:
        daclass("planted")


if STUDY.interventions:

    rule intervention_policies:
        input:
            tables("counts", "effects", "categories", "classes", "index"),
        output:
            policy_files("interventions"),
            [FILES.provenance(name) for name in STUDY.policy_names("interventions")],
        params:
            settings=STUDY.digest(
                "interventions.designers",
                "interventions.classes",
                "interventions.random_draws",
                "interventions.random_seed",
            ),
        log:
            log("policies.interventions"),
        benchmark:
            times("policies.interventions")
        shell:
            daclass("policies", "--phase interventions")

    rule interventions:
        input:
            evidence(*STUDY.phases[1:]),
            tables("effects", "categories"),
            [trained(phase) for phase in STUDY.phases[1:]],
        output:
            tables("interventions", "intervention_classes", "intervention_costs"),
        params:
            settings=STUDY.digest(
                "analysis.empty_labels", "analysis.confidence", "analysis.affected.q"
            ),
        log:
            log("interventions"),
        benchmark:
            times("interventions")
        shell:
            daclass("interventions")

# Predictions and annotations -> effects, confusions, categories -> policies; and what they changed.


rule measure:
    input:
        reads("measure"),
    output:
        writes("measure"),
    params:
        digest=digest("measure"),
    log:
        log("measure"),
    shell:
        daclass("measure")


if has("views"):

    rule sweep_views:  # which give what classes lose at their best view too
        input:
            reads("views", phase="sweep"),
        output:
            writes("views", phase="sweep"),
        params:
            digest=digest("views", phase="sweep"),
        log:
            log("views.sweep"),
        shell:
            daclass("views", "--phase sweep")

    rule views:
        input:
            lambda wildcards: reads("views", phase=wildcards.phase),
        output:
            pattern("views", phase="{phase}"),
        wildcard_constraints:
            phase="interventions|fine_tuning",
        params:
            digest=lambda wildcards: digest("views", phase=wildcards.phase),
        log:
            log("views.{phase}"),
        shell:
            daclass("views", "--phase {wildcards.phase}")


rule categories:
    input:
        reads("categories"),
    output:
        writes("categories"),
    params:
        digest=digest("categories"),
    log:
        log("categories"),
    shell:
        daclass("categories")


rule planted:
    input:
        reads("planted"),
    output:
        writes("planted"),
    params:
        digest=digest("planted"),
    log:
        log("planted"),
    shell:
        daclass("planted")


rule decision:
    input:
        reads("decision"),
    output:
        writes("decision"),
    params:
        digest=digest("decision"),
    log:
        log("decision"),
    shell:
        daclass("decision")


if STUDY.interventions:

    rule intervention_policies:
        input:
            reads("policies", phase="interventions"),
        output:
            writes("policies", phase="interventions"),
        params:
            digest=digest("policies", phase="interventions"),
        log:
            log("policies.interventions"),
        shell:
            daclass("policies", "--phase interventions")

    rule interventions:
        input:
            reads("interventions"),
        output:
            writes("interventions"),
        params:
            digest=digest("interventions"),
        log:
            log("interventions"),
        shell:
            daclass("interventions")


if "fine_tuning" in STUDY.phases:

    rule fine_tuning_policies:
        input:
            reads("policies", phase="fine_tuning"),
        output:
            writes("policies", phase="fine_tuning"),
        params:
            digest=digest("policies", phase="fine_tuning"),
        log:
            log("policies.fine_tuning"),
        shell:
            daclass("policies", "--phase fine_tuning")


if has("marks"):

    rule marks:
        input:
            reads("marks"),
        output:
            writes("marks"),
        params:
            digest=digest("marks"),
        log:
            log("marks"),
        shell:
            daclass("marks")

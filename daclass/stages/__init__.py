"""The stages of a study: each is one declaration, and everything else follows from it.

Snakemake's rules and people both reach a stage as ``daclass <stage> <config>``; see `stage.Stage`
for what it declares and `job.Job` for how it is run and checked.
"""

from daclass.config import Layout, Study
from daclass.stages import analysis, data, marks, policies, preserved, report, training
from daclass.stages.job import Job, Jobs
from daclass.stages.outside import Outside
from daclass.stages.stage import Of, Stage

STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        data.PICTURES,
        data.INDEX,
        data.ANNOTATIONS,
        data.PREDICTIONS,
        data.BETON,
        policies.POLICIES,
        training.TRAIN,
        training.PREDICT,
        preserved.PRESERVED,
        analysis.MEASURE,
        analysis.VIEWS,
        analysis.CATEGORIES,
        analysis.PLANTED,
        analysis.INTERVENTIONS,
        marks.MARKS,
        analysis.DECISION,
        report.EXAMPLES,
        report.REALISED,
        report.FIGURES,
        report.SUMMARY,
        report.REPORT,
    )
}
"""All stages by name, in the order of the way of the data."""


def jobs_of(study: Study, layout: Layout, *, look: bool = False) -> Jobs:
    """The jobs of a study.

    Args:
        look: whether outside files are looked at now. Else what is known of them is believed, where
            they were looked at before; jobs that read them look in any case.
    """
    return Jobs(study, layout, STAGES, Outside(layout.whole.outside, look=look))


__all__ = ["STAGES", "Job", "Jobs", "Of", "Stage", "jobs_of"]

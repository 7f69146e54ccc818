from __future__ import annotations

from daclass.config import Study

STRENGTHS = (0.08, 0.5, 0.9)
DESIGNERS = ("uniform_tested", "uniform_best", "uniform_reference")

TUNED = {
    "interventions": {
        "designers": DESIGNERS,
        "seeds": [2, 3],
        "fine_tuning": {"epochs": 2, "learning_rate": 0.01},
    }
}


def study_of(**changes) -> Study:
    content = {
        "name": "small",
        "data": {"source": "petri", "draws": 4},
        "training": {"epochs": 4, "warmup_epochs": 1},
        "sweep": {"strengths": STRENGTHS, "seeds": [0, 1]},
        "interventions": {"designers": DESIGNERS, "seeds": [2, 3]},
    }
    return Study.model_validate(content | changes)

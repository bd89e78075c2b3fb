"""Does it beat “as yesterday”? A recurrent network forecasts a series, beside forecasts that need no network."""

from functools import partial

from ui import series_lab, series_look
from ui.challenge import challenge
from ui.code_panel import code_panel
from ui.intro import intro, outro, prose
from ui.lessons import lesson_for
from ui.live_lab import live_lab
from ui.series_tasks import series_tasks

CODE = (
    "dlcore.models.forecaster:Forecaster",
    "dlcore.experiments.series:make_exercise",
    "dlcore.plain_forecasts:naive",
    "dlcore.plain_forecasts:seasonal",
    "dlcore.plain_forecasts:ridge",
    "dlcore.forecasting:free_run",
)
PARTS = ("ask", "what-you-see", "naive", "training-loss", "season", "formulas", "challenge", "code")

lesson = lesson_for("series")
intro(lesson, parts=PARTS)
config, history, made = live_lab(partial(series_lab.draw, lesson))
series_look.draw(lesson, history)
prose(lesson.slug, "what-you-see")
prose(lesson.slug, "naive")
prose(lesson.slug, "training-loss")
if made:
    series_lab.training_part(config, made, history)
prose(lesson.slug, "free")
prose(lesson.slug, "season")
if made:
    series_lab.season_picture(made)
prose(lesson.slug, "formulas", series_lab.numbers(made, config))
challenge(lesson, series_tasks())
code_panel(lesson, config, history, show=CODE, data=partial(series_lab.csv_of, made) if made else None)
outro(lesson)

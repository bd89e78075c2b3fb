"""Knobs as widgets: what the user set, what the address says, what the recipe brings, and how they get on."""

from streamlit.testing.v1 import AppTest


def page():
    """The page under test; AppTest runs its source."""
    from dataclasses import dataclass, replace

    import streamlit as st

    from dlcore.knobs import knob, knobs_of
    from ui import address
    from ui.controls import controls, get_extra, put_value
    from ui.session import enter
    from ui.slider import Mark

    @dataclass(frozen=True)
    class Config:
        """One knob of each kind."""

        network: str = knob("small", choices=("small", "large"), label="Network")
        learning_rate: float = knob(0.1, low=1e-4, high=1.0, log=True, label="Learning rate")
        epochs: int = knob(3, low=1, high=10, label="Epochs")
        shuffle: bool = knob(True, label="Shuffle")
        dataset: str = knob("a", choices=("a", "b", "c", "d", "e"), label="Dataset")
        seed: int = knob(0, low=0, high=999, label="Seed", advanced=True)

        @classmethod
        def recipe(cls, given):
            return {"learning_rate": 0.01, "seed": 7} if given.get("network") == "large" else {}

    def bounds(values):
        narrow = replace(knobs_of(Config)["epochs"], high=5, default=2)
        return {"epochs": narrow} if values["dataset"] == "b" else {}

    enter("sample")
    marks = lambda values: {"learning_rate": [Mark(0.5, "limit", "limit")]}  # noqa: E731
    labels = {"small": "Small one"}
    if "move" in st.session_state:  # as a click on a picture does
        put_value("epochs", st.session_state.pop("move"))
    st.session_state["config"] = controls(Config, marks=marks, overrides=bounds, labels=labels, extra=("points",))
    st.session_state["query"] = address.query()
    st.session_state["points"] = get_extra("points")


def open_page(**params: str) -> AppTest:
    at = AppTest.from_function(page, default_timeout=20)
    for name, text in params.items():
        at.query_params[name] = text
    return run(at)


def run(at: AppTest) -> AppTest:
    at.run()
    assert not at.exception
    return at


def test_widgets_are_told_their_value_in_every_run():
    """A browser that never drew the run which first said it would answer with the widget's own default."""
    at = open_page(dataset="c", shuffle="false", seed="5")
    for _again in range(3):
        run(at)
        told = [at.selectbox[0].proto, at.toggle[0].proto, at.number_input[0].proto, at.button_group[0].proto]
        assert all(proto.set_value for proto in told)
    assert (config(at).dataset, config(at).shuffle, config(at).seed) == ("c", False, 5)


def config(at: AppTest):
    return at.session_state["config"]


def sentences(at: AppTest) -> list[str]:
    return [box.value for box in at.warning]


def test_defaults_and_an_empty_address():
    at = open_page()
    assert (config(at).learning_rate, config(at).epochs, config(at).seed) == (0.1, 3, 0)
    assert at.session_state["query"] == "lang=en"
    assert sentences(at) == []
    assert at.button[0].disabled  # nothing to reset


def test_a_link_sets_what_it_names():
    at = open_page(learning_rate="0.25", epochs="7", shuffle="no", network="large")
    assert (config(at).learning_rate, config(at).epochs, config(at).shuffle) == (0.25, 7, False)
    assert config(at).seed == 7  # from the recipe of the network
    assert at.session_state["query"] == "lang=en&network=large&learning_rate=0.25&epochs=7&shuffle=false"


def test_each_bad_parameter_is_named_and_the_rest_kept():
    at = open_page(learning_rate="50", epochs="many", shuffle="maybe", network="huge", alchemy="1", seed="41")
    told = sentences(at)
    assert len(told) == 5
    for name, instead in [("Learning rate", "0.1"), ("Epochs", "3"), ("Shuffle", "True"), ("Network", "Small one")]:
        sentence = next(text for text in told if name in text)
        assert f"{name} = {instead} is used instead" in sentence
    assert any("alchemy" in text for text in told)
    assert config(at).seed == 41
    assert at.session_state["query"] == "lang=en&seed=41"


def test_the_sentences_go_when_something_is_set():
    at = open_page(epochs="many")
    assert len(sentences(at)) == 1
    at.toggle[0].set_value(False)
    run(at)
    assert sentences(at) == []
    assert at.session_state["query"] == "lang=en&shuffle=false"


def test_a_preset_brings_its_defaults_but_what_was_set_wins():
    at = open_page()
    at.number_input[0].set_value(3)
    run(at)
    at.segmented_control[0].set_value("large")
    run(at)
    assert (config(at).learning_rate, config(at).seed) == (0.01, 3)
    at.segmented_control[0].set_value("small")
    run(at)
    assert (config(at).learning_rate, config(at).seed) == (0.1, 3)


def test_bounds_that_follow_the_data():
    at = open_page(epochs="9")
    at.selectbox[0].set_value("b")
    run(at)
    assert config(at).epochs == 5
    assert at.toast[0].value == "Epochs was set to 5: the data on screen allows no more than 1 to 5."
    at = open_page(dataset="b")
    assert config(at).epochs == 2  # the default for this data, and no setting of the user's
    assert at.session_state["query"] == "lang=en&dataset=b"


def test_reset_puts_everything_back():
    at = open_page(epochs="9", network="large", dataset="c")
    at.button[0].click()
    run(at)
    assert (config(at).epochs, config(at).network, config(at).dataset, config(at).seed) == (3, "small", "a", 0)
    assert at.selectbox[0].value == "a"
    assert at.session_state["query"] == "lang=en"


def test_the_page_wins_over_an_address_that_is_late():
    """While a slider is dragged the browser still sends the address of a moment ago."""
    at = open_page(epochs="9")
    at.toggle[0].set_value(False)
    run(at)
    at.segmented_control[0].set_value("large")
    run(at)  # AppTest sends the first address all the time
    assert (config(at).shuffle, config(at).network, config(at).epochs) == (False, "large", 9)


def test_a_teachers_link_hides_the_controls_and_resets_to_what_it_says():
    at = open_page(hide="controls", epochs="9")
    assert len(at.segmented_control) == len(at.number_input) == 0
    assert [(button.label, button.disabled) for button in at.button] == [("Reset", True)]
    at.session_state["move"] = 4
    run(at)
    run(at)  # the button is drawn before the click of the next run
    assert config(at).epochs == 4
    at.button[0].click()
    run(at)
    assert config(at).epochs == 9
    assert at.session_state["query"] == "lang=en&epochs=9&hide=controls"


def test_only_a_sensible_range_is_dragged():
    from dlcore.knobs import Knob
    from ui.knob_widgets import draggable

    def dragged(**bounds):
        return draggable(Knob("x", float, 1.0, **bounds))

    assert dragged(low=0.0, high=0.99)
    assert dragged(low=1e-30, high=1e3, log=True)
    assert dragged(low=0, high=100_000)
    assert not dragged(low=-1e9, high=1e9)
    assert not dragged(low=0.0)


def test_a_page_keeps_a_parameter_of_its_own():
    at = open_page(points="1_2~3_4")
    assert at.session_state["points"] == "1_2~3_4"
    assert sentences(at) == []


def test_a_broken_link_with_hostile_text_is_only_text():
    at = open_page(**{"<script>": "1", "epochs": "1e999", "learning_rate": "nan", "seed": "९" * 500})
    assert len(sentences(at)) == 4
    assert config(at).epochs == 3
    assert config(at).learning_rate == 0.1
    assert all(len(text) < 250 for text in sentences(at))

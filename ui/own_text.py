"""A text that a learner brings to the text lesson, what was read of it, and what a source holds.

The page's config has the knobs ``source`` and ``data_hash``.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dlcore.data import own_text
from dlcore.data.text import Corpus, corpus, poems_file
from dlcore.texts import Problem
from ui.controls import put_value
from ui.data_box import data_box
from ui.i18n import _, plain, sentences, tell
from ui.session import current, page_state

FILE = "own-text-file"


def source_box(config: Any) -> bool:
    """Say what the chosen text holds, or how to get it. Returns whether a run can begin."""
    state = page_state(current())
    _fingerprint(config, state)
    if config.source == "own":
        return _own(config, state)
    if config.source == "poems" and poems_file() is None:
        with st.container(border=True, key="data-box"):
            st.markdown(_("The Chinese poems are not on this machine, and nobody offers them for download here. Your "
                          "own text, in any language, can be learned from as well."))  # fmt: skip
            st.button(_("Use Alice in Wonderland"), icon=":material/swap_horiz:", key="poems.stand-in",
                      on_click=put_value, args=("source", "alice"))  # fmt: skip
        return False
    if not data_box(config.source, "source"):
        return False
    st.caption(about(corpus(config.source)))
    return True


def _fingerprint(config: Any, state: dict[str, Any]) -> None:
    """The fingerprint belongs to your own text: put aside for another source, and taken up again."""
    if config.source == "own":
        if config.data_hash:
            state["own_text"] = config.data_hash
        elif state.get("own_text"):
            put_value("data_hash", state["own_text"])
            st.rerun()
    elif config.data_hash and config.data_hash == state.get("own_text"):
        put_value("data_hash", None)
        st.rerun()


def _own(config: Any, state: dict[str, Any]) -> bool:
    problem = state.get("own_text_problem")
    if problem:
        st.warning(tell(problem), icon=":material/info:")
    try:
        kept, data = own_text.summary(config.data_hash), corpus("own", config.data_hash)
    except Problem as missing:
        if config.data_hash and not problem:
            st.info(tell(missing), icon=":material/link_off:")
        with st.container(border=True, key="own-text"):
            st.markdown(_("**Let it learn from a text of yours.** A novel, your diary, song texts, program code: any "
                          "plain text in any language. Some ten thousand letters are a beginning; from 100,000 on it "
                          "gets interesting."))  # fmt: skip
            _upload(_("Your text, as a .txt file"))
        return False
    words, another = st.columns([3, 1], vertical_alignment="center")
    with another, st.popover(_("Other file"), icon=":material/upload_file:"):
        _upload(_("Another .txt file"))
    begins = plain(" ".join(kept.begins.split())[:60])
    said = [_("“{begins} …”, read as {encoding}.").format(begins=begins, encoding=kept.encoding), about(data)]
    if kept.cut:
        said.append(_("{n:,} letters at the end were left out: at most {most:,} are read.").format(
            n=kept.cut, most=own_text.MOST_CHARACTERS))  # fmt: skip
    words.caption(sentences(*said))
    return True


def about(data: Corpus) -> str:
    """How long a text is, how many different letters it has, what is rare in it, and how much is held out."""
    said = [_("{n:,} letters, {k:,} different; the last {test:,} are held out.").format(
        n=len(data.codes), k=len(data.symbols) - 1, test=len(data.test)
    )]  # fmt: skip
    if data.rare:
        said.append(_("{n:,} that are too rare to be learned count as one sign.").format(n=data.rare))
    return sentences(*said)


def _upload(label: str) -> None:
    st.file_uploader(
        label, type=["txt", "md", "text", "csv", "log"], max_upload_size=own_text.MOST_BYTES // 10**6, key=FILE,
        on_change=_receive, help=_("It stays on this server; whoever gets the link of your page can learn it, too."),
    )  # fmt: skip


def _receive() -> None:
    """Read what was uploaded; a fault is told at the next drawing."""
    file, state = st.session_state.get(FILE), page_state(current())
    state["own_text_problem"] = None
    if file is None:
        return
    try:
        if file.size > own_text.MOST_BYTES:
            raise own_text.too_large(file.size)
        put_value("data_hash", own_text.keep(file.getvalue()).hash)
    except Problem as problem:
        state["own_text_problem"] = problem.to_dict()

"""The datasets themselves: what each is called, where its files come from, what they weigh and who may use them.

``dlcore.data.catalogue`` looks for them, ``dlcore.data.download`` fetches them.
"""

from __future__ import annotations

from dataclasses import dataclass

from dlcore.data import cifar10
from dlcore.texts import N_


@dataclass(frozen=True)
class Remote:
    """One file as it is offered for download: its name there, its size in bytes and what tells that it is whole.

    ``md5`` in hex; or ``sha256``, the first digits of that sum in hex, where those are what is published.
    """

    name: str
    size: int
    md5: str
    sha256: str = ""


@dataclass(frozen=True)
class Dataset:
    """What is known of a dataset. ``folder`` is below a data root; ``files`` are the unpacked names in it.

    One remote that ends in ``.tar.gz`` holds all files. ``mirrors`` are tried in this order; ``stand_in`` is the
    embedded dataset that works without any file. ``copy`` is a file in a data root that serves where the originals are
    not there; ``copy_note`` says how it differs. ``weights``: these are a network's, which lie in torch's own folder.
    """

    name: str
    title: str
    folder: str
    files: tuple[str, ...]
    remotes: tuple[Remote, ...]
    mirrors: tuple[str, ...]
    licence: str
    homepage: str
    stand_in: str = "digits"
    stand_in_title: str = N_("the digits that come along")
    copy: str = ""
    copy_note: str = ""
    weights: bool = False

    @property
    def size(self) -> int:
        """Bytes to download."""
        return sum(remote.size for remote in self.remotes)


IDX = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def _idx(*sizes_and_sums: tuple[int, str]) -> tuple[Remote, ...]:
    return tuple(Remote(f"{name}.gz", size, md5) for name, (size, md5) in zip(IDX, sizes_and_sums, strict=True))


COUNTRIES = (
    "Arabic.txt",
    "Chinese.txt",
    "Czech.txt",
    "Dutch.txt",
    "English.txt",
    "French.txt",
    "German.txt",
    "Greek.txt",
    "Irish.txt",
    "Italian.txt",
    "Japanese.txt",
    "Korean.txt",
    "Polish.txt",
    "Portuguese.txt",
    "Russian.txt",
    "Scottish.txt",
    "Spanish.txt",
    "Vietnamese.txt",
)


def _series(name: str, title: str, remote: Remote) -> Dataset:
    """A time series: one CSV file of a collection that keeps them side by side."""
    return Dataset(
        name=name,
        title=title,
        folder="timeseries",
        files=(remote.name,),
        remotes=(remote,),
        mirrors=("https://raw.githubusercontent.com/jbrownlee/Datasets/master/",),
        licence="not stated",
        homepage="https://github.com/jbrownlee/Datasets",
        stand_in="sines",
        stand_in_title=N_("mixtures of sine waves"),
    )


# Mirrors and MD5 sums as torchvision.datasets publishes them (test_data.py holds them to it).
CATALOGUE = {
    d.name: d
    for d in (
        Dataset(
            name="mnist",
            title=N_("MNIST: 70,000 handwritten digits"),
            folder="MNIST/raw",
            files=IDX,
            remotes=_idx(
                (9912422, "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
                (28881, "d53e105ee54ea40749a09fcbcd1e9432"),
                (1648877, "9fb629c4189551a2d022fa330f9573f3"),
                (4542, "ec29112dd5afa0611ce80d1b7f02629c"),
            ),
            mirrors=("https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/"),
            licence="CC BY-SA 3.0",
            homepage="http://yann.lecun.com/exdb/mnist/",
        ),
        Dataset(
            name="fashion_mnist",
            title=N_("Fashion-MNIST: 70,000 pictures of clothes"),
            folder="FashionMNIST/raw",
            files=IDX,
            remotes=_idx(
                (26421880, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
                (29515, "25c81989df183df01b3e8a0aad5dffbe"),
                (4422102, "bef4ecab320f06d8554ea6380940ec79"),
                (5148, "bb300cfdad3c16e7a12a480ee83cd310"),
            ),
            mirrors=(
                "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
                "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
            ),
            licence="MIT",
            homepage="https://github.com/zalandoresearch/fashion-mnist",
        ),
        Dataset(
            name="cifar10",
            title=N_("CIFAR-10: 60,000 small colour photographs"),
            folder="cifar-10-batches-py",
            files=(*cifar10.TRAIN, *cifar10.TEST),
            remotes=(Remote("cifar-10-python.tar.gz", 170498071, "c58f30108f718f92721af3b95e74349a"),),
            mirrors=("https://www.cs.toronto.edu/~kriz/",),
            licence="not stated",
            homepage="https://www.cs.toronto.edu/~kriz/cifar.html",
            copy=cifar10.JPEG,
            copy_note=cifar10.JPEG_NOTE,
        ),
        Dataset(
            name="shakespeare",
            title=N_("Shakespeare: 1.1 million letters of his plays"),
            folder="text/tiny_shakespeare",
            files=("input.txt",),
            remotes=(Remote("input.txt", 1115394, "6fb458f1232090904fb40fe944165e91"),),
            mirrors=("https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/",),
            licence="public domain",
            homepage="https://github.com/karpathy/char-rnn",
            stand_in="alice",
            stand_in_title=N_("Alice in Wonderland"),
        ),
        Dataset(
            name="names",
            title=N_("Names: 20,050 family names from 18 countries"),
            folder="text/names",
            files=COUNTRIES,
            remotes=(
                Remote("Arabic.txt", 13190, "82fae9e94c57f0ce3971ff005db0429e"),
                Remote("Chinese.txt", 1246, "7dc684c0c97218fccbbe40b4ae5a1feb"),
                Remote("Czech.txt", 3916, "88035e92cbcd534cf6888c761c5c63af"),
                Remote("Dutch.txt", 2351, "6ab7bbaf044b499721053f90e0773c5e"),
                Remote("English.txt", 27125, "950fc1c5c1406e12f1d3c67bbb33ed66"),
                Remote("French.txt", 2178, "20ca80761015630dbb80c0f1d43cb659"),
                Remote("German.txt", 5610, "d10473b75cbb39f75de4ba71dccd852a"),
                Remote("Greek.txt", 1981, "2edefe72c04ef0dafcc08080a06e71fc"),
                Remote("Irish.txt", 1858, "e7eb4e53253058c0744bbb76cb3110f1"),
                Remote("Italian.txt", 5657, "80327fae66e0ac14495bc0f62fc0c63f"),
                Remote("Japanese.txt", 7622, "f5b11bdb2e0435c0a22c1a731aa287d8"),
                Remote("Korean.txt", 423, "a9b83a6c85dd59ed024a09c61de0c0e9"),
                Remote("Polish.txt", 1165, "71aca5ee180890e83daeae1b01429dc0"),
                Remote("Portuguese.txt", 554, "9e678db31d44422908885fd3ddea89d6"),
                Remote("Russian.txt", 85168, "abc12f2851bf747c0676ec50aceed9de"),
                Remote("Scottish.txt", 752, "7cb6daa864d1beac09420ea666c10f3d"),
                Remote("Spanish.txt", 2284, "61f0b4e4deb4acaad0086996124e9b32"),
                Remote("Vietnamese.txt", 339, "1c081f30420eb147fb747a90e3d2a7af"),
            ),
            mirrors=("https://raw.githubusercontent.com/spro/practical-pytorch/master/data/names/",),
            licence="MIT",
            homepage="https://github.com/spro/practical-pytorch",
            stand_in="territories",
            stand_in_title=N_("the names of the world’s countries in twelve languages"),
        ),
        Dataset(
            name="rt_polarity",
            title=N_("Film reviews: 10,662 English sentences"),
            folder="text/rt_polarity",
            files=("rt-polarity.neg", "rt-polarity.pos"),
            remotes=(
                Remote("rt-polarity.neg", 612256, "1e35b7f7c5df24a135ca62b8eecded53"),
                Remote("rt-polarity.pos", 626139, "afcc7ff580b3b4df4bdb6528e6558ab5"),
            ),
            mirrors=("https://raw.githubusercontent.com/yoonkim/CNN_sentence/master/",),
            licence="not stated",
            homepage="https://www.cs.cornell.edu/people/pabo/movie-review-data/",
            stand_in="grammar",
            stand_in_title=N_("sentences that a small grammar makes"),
        ),
        Dataset(
            name="waimai",
            title=N_("Meal deliveries: 11,987 Chinese reviews"),
            folder="text/chinese_sentiment",
            files=("waimai_10k.csv",),
            remotes=(Remote("waimai_10k.csv", 919380, "d2500508a949d0788fab988794937be5"),),
            mirrors=("https://raw.githubusercontent.com/SophonPlus/ChineseNlpCorpus/master/datasets/waimai_10k/",),
            licence="not stated",
            homepage="https://github.com/SophonPlus/ChineseNlpCorpus",
            stand_in="grammar_zh",
            stand_in_title=N_("sentences that a small grammar makes"),
        ),
        _series(
            "airline",
            N_("Airline passengers: 144 months"),
            Remote("airline-passengers.csv", 2180, "558a08bfda3955c8506436677352f7b8"),
        ),
        _series(
            "temperature",
            N_("Daily lowest temperatures in Melbourne: ten years"),
            Remote("daily-min-temperatures.csv", 67921, "5d343d678173fadff7c8474073145e73"),
        ),
        _series(
            "sunspots",
            N_("Sunspots: 235 years, month by month"),
            Remote("monthly-sunspots.csv", 45039, "dee19278d812667c0933bfcccbe4d0b2"),
        ),
    )
}

"""What datasets, networks, optimizers and schedules are called on every page, by their names in links.

``knob.choice`` names a choice of one knob only, where others have one of the same name.
"""

from collections.abc import Mapping

from dlcore.texts import N_

DATASETS = {
    "digits": N_("Built-in digits"), "shapes": N_("Shapes"), "shapes_centred": N_("Shapes, centred"),
    "shapes_moved": N_("Shapes, moved"), "mnist": "MNIST", "fashion_mnist": N_("Clothes"),
    "cifar10": N_("Photographs"), "dataset.own": N_("Your own pictures"),
}  # fmt: skip
NETWORKS = {
    "article": N_("Three conv."), "fast": N_("Fast"), "small": N_("Small"), "norm": N_("Batch norm"),
    "wide": N_("Wide"), "mlp": N_("Dense"), "network.own": N_("Your own"),
}  # fmt: skip
PIXELS = {"in_order": N_("In order"), "shuffled": N_("Shuffled")}
OPTIMIZERS = {
    "adam": "Adam", "sgd": "SGD", "rmsprop": "RMSProp", "nesterov": "Nesterov", "adagrad": "AdaGrad", "adamw": "AdamW",
}  # fmt: skip
SCHEDULES = {
    "constant": N_("Constant"), "cosine": N_("Cosine"), "linear": N_("Linear"), "one_cycle": N_("One cycle"),
    "step": N_("In steps"), "warm_up": N_("Warm-up"),
}  # fmt: skip
CELLS = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU", "cell.all": N_("All three")}
TEXTS = {
    "alice": N_("Alice in Wonderland"), "shakespeare": N_("Shakespeare"), "poems": N_("Chinese poems"),
    "source.own": N_("Your own text"),
}  # fmt: skip
STARTS = {"start.usual": N_("As usual"), "start.orthogonal": N_("Orthogonal")}
ATTENTIONS = {
    "dates": N_("Dates"), "numerals": N_("Numbers in words"), "attention.dot": N_("Dot product"),
    "attention.additive": N_("Additive"), "attention.none": N_("None"),
}  # fmt: skip
RESNETS = {
    "network.stack": N_("Stack of blocks"),
    **{f"network.resnet{n}": f"ResNet-{n}" for n in (20, 32, 44, 56, 110, 18)},
}
BLOCKS = {
    "blocks.dense": N_("Dense"), "blocks.conv": N_("Convolutions"), "norm.none": N_("None"),
    "norm.batch": N_("Batch"), "norm.layer": N_("Layer"), "init.default": N_("PyTorch’s"), "init.he": N_("He’s"),
    "order.post": N_("After the sum"), "order.pre": N_("Before the weights"),
    "shortcut.identity": N_("Pixels left out"), "shortcut.projection": N_("1×1 convolution"),
}  # fmt: skip
PUSHES = {"pushes.attack": N_("Attack"), "pushes.noise": N_("Random noise")}
AUGMENTS = {"augment.none": N_("As it is"), "augment.mirror": N_("Mirrored, too"), "augment.six": N_("In six ways")}
BACKBONE_NAMES = {"backbone.auto": N_("The best that is here"), "backbone.backbone": N_("Our own, 32 × 32")}


def name_for(labels: Mapping[str, str], knob: str, choice: str) -> str:
    """What a choice of a knob is called in ``labels``, English; its own name where they have none."""
    return labels.get(f"{knob}.{choice}", labels.get(choice, choice))

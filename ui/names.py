"""What optimizers and schedules are called on every page, by the names that they have in links."""

from dlcore.texts import N_

OPTIMIZERS = {
    "adam": "Adam", "sgd": "SGD", "rmsprop": "RMSProp", "nesterov": "Nesterov", "adagrad": "AdaGrad", "adamw": "AdamW",
}  # fmt: skip
SCHEDULES = {
    "constant": N_("Constant"), "cosine": N_("Cosine"), "linear": N_("Linear"), "one_cycle": N_("One cycle"),
    "step": N_("In steps"), "warm_up": N_("Warm-up"),
}  # fmt: skip

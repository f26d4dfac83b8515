"""One training engine for all families of models."""

from models.training.config import TrainingConfig, TrainingConfigError
from models.training.loop import VERSION, DivergedError, Moment, Watcher, train, unwatched
from models.training.memory import OutOfMemoryError
from models.training.record import TrainingRecord

__all__ = [
    "VERSION",
    "DivergedError",
    "Moment",
    "OutOfMemoryError",
    "TrainingConfig",
    "TrainingConfigError",
    "TrainingRecord",
    "Watcher",
    "train",
    "unwatched",
]

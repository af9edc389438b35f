"""What a method costs at one size: parameters, operations, memory and time.

MACs are multiply-accumulates of convolutions, matrix products and attention; FLOPs are twice as many.
Normalisation, resampling and pointwise arithmetic are not counted, as is usual. `measure` runs an editor,
`predict` follows its tensors without computing them; both give the same numbers under the same names.
"""

from .clock import latency, percentile
from .holdings import reachable_networks, reachable_tensors, weight_counts
from .machine import device_name
from .measuring import measure
from .memory import LivingStorages, peak_activation_bytes
from .operations import count_flops
from .predicting import predict
from .sample import sample_batch
from .subject import Subject, subject

__all__ = [
    "LivingStorages",
    "Subject",
    "count_flops",
    "device_name",
    "latency",
    "measure",
    "peak_activation_bytes",
    "percentile",
    "predict",
    "reachable_networks",
    "reachable_tensors",
    "sample_batch",
    "subject",
    "weight_counts",
]

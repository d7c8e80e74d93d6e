"""The only folder that imports dagster: assets, checks, partitions, resources, sensors, metadata. All of it thin."""

import atexit
import gc
import warnings

from dagster import BetaWarning, PreviewWarning

# partitions on checks are a preview in this version of Dagster; the tests run them for real
warnings.filterwarnings("ignore", category=PreviewWarning)
warnings.filterwarnings("ignore", category=BetaWarning)

# Python looks for cycles in all that Dagster imported when a process ends: a second of processor time for each run
atexit.register(gc.freeze)

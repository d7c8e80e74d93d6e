"""A class that a user's dagster.yaml names, with a password in its configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster._core.secrets.loader import SecretsLoader
from dagster._serdes import ConfigurableClass, ConfigurableClassData


class OwnSecrets(SecretsLoader, ConfigurableClass):  # type: ignore[type-arg]
    """Takes a password, which may be a variable, and a mapping of anything; gives Dagster nothing."""

    def __init__(self, password: str, more: Mapping[str, Any], inst_data: ConfigurableClassData | None = None) -> None:
        self.password, self.more = password, more
        self._inst_data = inst_data

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        return self._inst_data

    @classmethod
    def config_type(cls) -> Mapping[str, Any]:
        return {"password": dg.StringSource, "more": dg.Permissive()}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> OwnSecrets:
        return cls(inst_data=inst_data, **config_value)

    def get_secrets_for_environment(self, location_name: str | None) -> Mapping[str, str]:
        return {}

"""`croissant.json` beside a manifest: an export in the words of Croissant 1.0, for data catalogues and loaders.

https://docs.mlcommons.org/croissant/docs/croissant-spec.html - a function of the manifest, like the dataset card.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from corpus_pipeline.stages.export.manifest import StoredFile, stored_files, to_json

CROISSANT = "croissant.json"
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataBiases": "cr:dataBiases",
    "dataCollection": "cr:dataCollection",
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "personalSensitiveInformation": "cr:personalSensitiveInformation",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_TYPES = {"string": "sc:Text", "int64": "sc:Integer", "float64": "sc:Float", "bool": "sc:Boolean"}
_FORMATS = {"none": "application/jsonlines", "gzip": "application/gzip"}

_PARQUET = "application/vnd.apache.parquet"


def croissant(manifest: Mapping[str, Any]) -> bytes:
    """The description of one export; no time is in it, so that the same rows give the same bytes.

    Its fields are the columns with one plain type; what is nested or mixed from row to row has no type in Croissant and is
    told by the features of the manifest alone.
    """
    files = stored_files(manifest)
    data = next(file for file in files if file.role == "data")
    source, recipe = manifest["source"], manifest["recipe"]
    body: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": manifest["name"],
        "description": (
            f"{data.lines} rows in the format {manifest['format']}, made of the dataset file with sha256 {source['sha256']}"
            f" under the recipe {recipe['name']} {recipe['version'][:12]}. manifest.json tells where they come from."
        ),
        "version": f"1.0.0+{data.sha256[:12]}",
        "distribution": [_file(file) for file in files],
    }
    fields = list(_fields(manifest, data))
    if fields and data.compression == "none":
        body["recordSet"] = [{"@type": "cr:RecordSet", "@id": "rows", "name": "rows", "field": fields}]
    return to_json(body)


def _file(file: StoredFile) -> dict[str, Any]:
    name = file.alias or file.path
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "contentSize": f"{file.bytes} B",
        "encodingFormat": _PARQUET if file.role == "parquet" else _FORMATS[file.compression],
        "sha256": file.sha256,
    }


def _fields(manifest: Mapping[str, Any], data: StoredFile) -> Iterator[dict[str, Any]]:
    for column in manifest["features"]:
        kind = _TYPES.get(column.get("dtype", ""))
        if kind is not None:
            yield {
                "@type": "cr:Field",
                "@id": f"rows/{column['name']}",
                "name": column["name"],
                "dataType": kind,
                "source": {"fileObject": {"@id": data.alias or data.path}, "extract": {"column": column["name"]}},
            }

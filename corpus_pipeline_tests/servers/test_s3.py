from __future__ import annotations

import boto3
import pytest
from botocore.exceptions import ClientError

from corpus_pipeline_tests.servers.s3 import REGION

PART = 5 * 1024 * 1024


def test_the_environment_is_enough_to_write_and_read(s3_server, s3_bucket):
    client = boto3.client("s3", endpoint_url=s3_server.environment()["CORPUS_S3_ENDPOINT_URL"])
    client.put_object(Bucket=s3_bucket, Key="a/b", Body=b"text")
    assert client.get_object(Bucket=s3_bucket, Key="a/b")["Body"].read() == b"text"


def test_a_multipart_upload_is_visible_when_it_is_complete(s3_server, s3_bucket):
    client = s3_server.client()
    at = {"Bucket": s3_bucket, "Key": "big"}
    upload = client.create_multipart_upload(**at)["UploadId"]
    parts = [
        {"PartNumber": number, "ETag": client.upload_part(**at, UploadId=upload, PartNumber=number, Body=body)["ETag"]}
        for number, body in ((1, b"x" * PART), (2, b"y"))
    ]
    assert client.list_objects_v2(Bucket=s3_bucket).get("Contents", []) == []
    client.complete_multipart_upload(**at, UploadId=upload, MultipartUpload={"Parts": parts})
    assert client.head_object(**at)["ContentLength"] == PART + 1


def test_an_open_upload_is_listed_until_it_is_aborted(s3_server, s3_bucket):
    client = s3_server.client()
    upload = client.create_multipart_upload(Bucket=s3_bucket, Key="big")["UploadId"]
    listed = client.list_multipart_uploads(Bucket=s3_bucket)["Uploads"]
    assert [(entry["Key"], entry["UploadId"]) for entry in listed] == [("big", upload)]
    client.abort_multipart_upload(Bucket=s3_bucket, Key="big", UploadId=upload)
    assert client.list_multipart_uploads(Bucket=s3_bucket).get("Uploads", []) == []


def test_only_moto_knows_conditional_writes(s3_server, s3_bucket):
    client = s3_server.client()
    client.put_object(Bucket=s3_bucket, Key="a", Body=b"first")
    if s3_server.name == "moto":
        with pytest.raises(ClientError) as refused:
            client.put_object(Bucket=s3_bucket, Key="a", Body=b"second", IfNoneMatch="*")
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412
    else:
        client.put_object(Bucket=s3_bucket, Key="a", Body=b"second", IfNoneMatch="*")
    kept = b"first" if s3_server.name == "moto" else b"second"
    assert client.get_object(Bucket=s3_bucket, Key="a")["Body"].read() == kept


def test_only_rclone_refuses_a_wrong_digest_and_a_wrong_key(s3_server, s3_bucket):
    stranger = boto3.client(
        "s3", endpoint_url=s3_server.endpoint, region_name=REGION, aws_access_key_id="x", aws_secret_access_key="y"
    )
    requests = (
        lambda: s3_server.client().put_object(Bucket=s3_bucket, Key="a", Body=b"text", ContentMD5="A" * 22 + "=="),
        stranger.list_buckets,
    )
    for request in requests:
        if s3_server.name == "rclone":
            with pytest.raises(ClientError):
                request()
        else:
            request()


def test_metadata_comes_back_under_its_name_in_any_case(s3_server, s3_bucket):
    client = s3_server.client()
    client.put_object(Bucket=s3_bucket, Key="a", Body=b"text", Metadata={"sha256": "abc"})
    found = client.head_object(Bucket=s3_bucket, Key="a")["Metadata"]
    assert {name.lower(): value for name, value in found.items()} == {"sha256": "abc"}

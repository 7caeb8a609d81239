"""Reads with boto3 what Tidemark wrote, and writes what Tidemark is to read: for tests/http/objects.t."""
import hashlib
import io
import os
import sys

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config

S3 = boto3.client(
    "s3", endpoint_url=os.environ["S3_ENDPOINT"], region_name="us-east-1",
    aws_access_key_id=os.environ["S3_ACCESS_KEY"], aws_secret_access_key=os.environ["S3_SECRET_KEY"],
    config=Config(s3={"addressing_style": "path"}))
BUCKET = os.environ["S3_BUCKET"]

def sha256(key):
    digest = hashlib.sha256()
    for piece in S3.get_object(Bucket=BUCKET, Key=key)["Body"].iter_chunks(1 << 16):
        digest.update(piece)
    return digest.hexdigest()


if sys.argv[1] == "hash":
    for key in sys.argv[2:]:
        print(sha256(key))
elif sys.argv[1] == "put":
    content = sys.stdin.buffer.read()
    for key in sys.argv[2:]:
        S3.put_object(Bucket=BUCKET, Key=key, Body=content)
elif sys.argv[1] == "send":  # of so many bytes, in parts of 5 MiB; KEY=SIZE each
    parts = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
    for key, size in (arg.split("=") for arg in sys.argv[2:]):
        content = (b"boto3" * (int(size) // 5 + 1))[:int(size)]
        S3.upload_fileobj(io.BytesIO(content), BUCKET, key, Config=parts)
        print(hashlib.sha256(content).hexdigest())
elif sys.argv[1] == "keys":
    for page in S3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=sys.argv[2]):
        for item in page.get("Contents", []):
            print(item["Key"])

"""Reads with boto3 what Tidemark wrote, and writes what Tidemark is to read: for tests/http/objects.t."""
import hashlib
import os
import sys

import boto3
from botocore.config import Config

S3 = boto3.client(
    "s3", endpoint_url=os.environ["S3_ENDPOINT"], region_name="us-east-1",
    aws_access_key_id=os.environ["S3_ACCESS_KEY"], aws_secret_access_key=os.environ["S3_SECRET_KEY"],
    config=Config(s3={"addressing_style": "path"}))
BUCKET = os.environ["S3_BUCKET"]

if sys.argv[1] == "hash":
    body = S3.get_object(Bucket=BUCKET, Key=sys.argv[2])["Body"]
    digest = hashlib.sha256()
    for piece in body.iter_chunks(1 << 16):
        digest.update(piece)
    print(digest.hexdigest())
elif sys.argv[1] == "put":
    S3.put_object(Bucket=BUCKET, Key=sys.argv[2], Body=sys.stdin.buffer.read())
elif sys.argv[1] == "multiparts":
    print(len(S3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])))
elif sys.argv[1] == "keys":
    for page in S3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=sys.argv[2]):
        for item in page.get("Contents", []):
            print(item["Key"])

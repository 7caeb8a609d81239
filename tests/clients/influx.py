"""The Python clients of InfluxDB 1 and 2 against a server: python influx.py URL TOKEN NOW.
Writes known points and prints, as JSON, what the clients made of the answers."""
import json
import sys
from urllib.parse import urlparse

from influxdb import InfluxDBClient as Client1
from influxdb.exceptions import InfluxDBClientError
from influxdb_client import InfluxDBClient as Client2, Point, WritePrecision
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException

url, token, now = sys.argv[1], sys.argv[2], int(sys.argv[3])
address = urlparse(url)
said = {}

# version 1
client = Client1(host=address.hostname, port=address.port, username="any", password=token,
                 database="home", gzip=True)
said["ping"] = client.ping()
client.create_database("home")
said["databases"] = client.get_list_database()
said["written"] = client.write_points(
    [{"measurement": "room climate", "tags": {"device": "py1", "wall": "north, upper"},
      "fields": {"temperature": 21.5, "open": True, "count": 7, "note": 'a "b" \\ c'}, "time": now}],
    time_precision="s")
said["empty"] = client.write_points([])
try:
    client.write("bad", {"db": "home"}, protocol="line")
    said["refused"] = None
except InfluxDBClientError as error:
    said["refused"] = [error.code, json.loads(error.content)["error"]]
client.close()

# version 2
with Client2(url=url, token=token, org="any", enable_gzip=True) as client:
    said["health"] = client.health().status
    said["pong"] = client.ping()
    api = client.write_api(write_options=SYNCHRONOUS)
    api.write("any", record=[
        Point("room climate").tag("device", "py2").tag("wall", "söuth=side").field("temperature", 19.25)
        .field("big", 9007199254740991).field("open", False).time(now, WritePrecision.S),
        Point("py3").field("level", 1e-7).time(now, WritePrecision.S)], write_precision=WritePrecision.S)
    try:
        api.write("any", record=["py2 ok=1", "bad"])
        said["partial"] = None
    except ApiException as error:
        said["partial"] = [error.status, json.loads(error.body)["code"]]
print(json.dumps(said))

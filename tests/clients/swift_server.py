"""OpenStack Swift in one process, with its S3 API in front: for tests/lib/Tidemark/Swift.pm.

Arguments: a folder for all that it keeps, which it makes, and the port to answer on. The access key is
tidemark:tidemark, the secret tidemark-secret.
"""
import os
import sys

import eventlet

eventlet.monkey_patch()

from eventlet import wsgi  # noqa: E402
from swift.common import storage_policy, utils, wsgi as swift_wsgi  # noqa: E402
from swift.common.ring import RingBuilder  # noqa: E402

HOME, PORT = sys.argv[1], int(sys.argv[2])
os.makedirs(os.path.join(HOME, "devices", "disk"))
PIPELINE = "catch_errors gatekeeper cache listing_formats s3api tempauth bulk slo proxy-server"
PARTS = {
    "catch_errors": "", "gatekeeper": "", "cache": "use = egg:swift#memcache\nmemcache_servers = 127.0.0.1:1",
    "listing_formats": "", "s3api": "location = us-east-1",
    "tempauth": "user_tidemark_tidemark = tidemark-secret .admin", "bulk": "", "slo": "",
}


def write(name, text):
    with open(os.path.join(HOME, name), "w", encoding="utf-8") as out:
        out.write(text)
    return os.path.join(HOME, name)


def listen(port=0):
    return eventlet.listen(("127.0.0.1", port))


def serve(socket, app):
    eventlet.spawn(wsgi.server, socket, app, log_output=False, keepalive=60)


def make_ring(name, port):
    builder = RingBuilder(2, 1, 0)
    builder.add_dev({"region": 1, "zone": 1, "weight": 1, "ip": "127.0.0.1", "port": port, "device": "disk",
                     "meta": "", "replication_ip": "127.0.0.1", "replication_port": port})
    builder.rebalance()
    builder.get_ring().save(os.path.join(HOME, name + ".ring.gz"))


utils.SWIFT_CONF_FILE = write("swift.conf", "[swift-hash]\nswift_hash_path_suffix = tidemark\n"
                              "[storage-policy:0]\nname = only\ndefault = yes\n")
utils.validate_hash_conf()
storage_policy.SWIFT_CONF_FILE = utils.SWIFT_CONF_FILE
storage_policy.reload_storage_policies()

from swift.account.server import AccountController  # noqa: E402
from swift.container.server import ContainerController  # noqa: E402
from swift.obj.server import ObjectController  # noqa: E402

CONF = {"swift_dir": HOME, "devices": os.path.join(HOME, "devices"), "mount_check": "false", "bind_ip": "127.0.0.1"}
for kind, controller in (("account", AccountController), ("container", ContainerController), ("object", ObjectController)):
    socket = listen()
    make_ring(kind, socket.getsockname()[1])
    serve(socket, controller(dict(CONF, bind_port=str(socket.getsockname()[1]))))

proxy = f"[DEFAULT]\nswift_dir = {HOME}\n[pipeline:main]\npipeline = {PIPELINE}\n"
proxy += "[app:proxy-server]\nuse = egg:swift#proxy\naccount_autocreate = true\nallow_account_management = true\n"
for name, text in PARTS.items():
    proxy += f"[filter:{name}]\n" + (text if "use =" in text else f"use = egg:swift#{name}\n{text}") + "\n"
serve(listen(PORT), swift_wsgi.loadapp(write("proxy-server.conf", proxy)))
while True:
    eventlet.sleep(3600)

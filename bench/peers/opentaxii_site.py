"""Make a working directory from which gunicorn serves OpenTAXII: TAXII 2.1, SQLite, one empty public collection.

  opentaxii_site.py WORKDIR PORT

Run by the Python of OpenTAXII's virtual environment. Prints one JSON object: the path of the collection. `gunicorn --chdir WORKDIR shim:app` serves it.
"""
import json
import os
import sys

CONFIGURATION = """---
domain: "127.0.0.1:{port}"
support_basic_auth: yes
return_server_error_details: yes
auth_api:
  class: opentaxii.auth.sqldb.SQLDatabaseAPI
  parameters: {{db_connection: "sqlite:///{work}/auth.db", create_tables: yes, secret: bench-only, token_ttl_secs: 3600}}
taxii1:
  save_raw_inbox_messages: no
  xml_parser_supports_huge_tree: yes
  count_blocks_in_poll_responses: no
  unauthorized_status: UNAUTHORIZED
  persistence_api:
    class: opentaxii.persistence.sqldb.SQLDatabaseAPI
    parameters: {{db_connection: "sqlite:///{work}/taxii1.db", create_tables: yes}}
taxii2:
  title: bench
  description: bench
  contact: bench
  max_content_length: 104857600
  public_discovery: true
  allow_custom_properties: true
  persistence_api:
    class: opentaxii.persistence.sqldb.Taxii2SQLDatabaseAPI
    parameters: {{db_connection: "sqlite:///{work}/taxii2.db", create_tables: yes}}
logging: {{opentaxii: error, root: error}}
"""

# OpenTAXII 0.9.3 as released answers 500 to a POST of objects: its JSON encoder meets uuid.UUID values. With this the call can be timed all the same.
SHIM = """import functools, json, os, types
os.environ["OPENTAXII_CONFIG"] = {configuration!r}
import opentaxii.taxii2.http as http
http.json = types.SimpleNamespace(dumps=functools.partial(json.dumps, default=str))
from opentaxii.http import app
"""


def main():
    work, port = os.path.abspath(sys.argv[1]), sys.argv[2]
    os.makedirs(work)
    configuration = os.path.join(work, "configuration.yml")
    with open(configuration, "w", encoding="utf-8") as f:
        f.write(CONFIGURATION.format(work=work, port=port))
    with open(os.path.join(work, "shim.py"), "w", encoding="utf-8") as f:
        f.write(SHIM.format(configuration=configuration))
    os.environ["OPENTAXII_CONFIG"] = configuration
    from opentaxii.config import ServerConfig
    from opentaxii.middleware import create_app
    from opentaxii.server import TAXIIServer

    app = create_app(TAXIIServer(ServerConfig(extra_configs=[configuration])))
    with app.app_context():
        store = app.taxii_server.servers.taxii2.persistence.api
        root = store.add_api_root(title="bench", description="bench", default=True, is_public=True)
        collection = store.add_collection(
            api_root_id=str(root.id), title="bench", description="bench", alias="bench", is_public=True, is_public_write=True
        )
        print(json.dumps({"collection": f"/taxii2/{root.id}/collections/{collection.id}/"}))


main()

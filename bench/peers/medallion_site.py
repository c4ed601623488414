"""Make a working directory from which gunicorn serves medallion: TAXII 2.1, memory backend, one empty collection.

  medallion_site.py WORKDIR PORT

Run by the Python of medallion's virtual environment. Prints one JSON object: the path of the collection, user and password. `gunicorn --chdir WORKDIR shim:app`
serves it; with one worker, because the memory backend lives in the process.
"""
import json
import os
import sys

COLLECTION = "91a7b528-80eb-42ed-a74d-c6fbd5a26116"


def main():
    work, port = os.path.abspath(sys.argv[1]), sys.argv[2]
    os.makedirs(work)
    root = f"http://127.0.0.1:{port}/api1/"
    taxii = "application/taxii+json;version=2.1"
    collection = {"id": COLLECTION, "title": "bench", "can_read": True, "can_write": True, "media_types": ["application/stix+json;version=2.1"],
                  "objects": [], "manifest": []}
    data = {"/discovery": {"title": "bench", "default": root, "api_roots": [root]},
            "api1": {"information": {"title": "bench", "description": "", "versions": [taxii], "max_content_length": 104857600},
                     "status": [], "collections": [collection]}}
    configuration = {"backend": {"module": "medallion.backends.memory_backend", "module_class": "MemoryBackend", "filename": f"{work}/data.json"},
                     "users": {"bench": "bench-only-password"}, "taxii": {"max_page_size": 1000}}
    for name, value in (("data.json", data), ("configuration.json", configuration)):
        with open(os.path.join(work, name), "w", encoding="utf-8") as f:
            json.dump(value, f)
    with open(os.path.join(work, "shim.py"), "w", encoding="utf-8") as f:
        f.write(f"import medallion\napp = medallion.load_app({os.path.join(work, 'configuration.json')!r})\n")
    print(json.dumps({"collection": f"/api1/collections/{COLLECTION}/", "user": "bench", "password": "bench-only-password"}))


main()

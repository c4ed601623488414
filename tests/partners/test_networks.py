"""Graph measures and cascades of `entente resilience`, beside NetworkX and a second, naive program: random graphs, and every topology of the corpus.

ENTENTE_GRAPHS says how many random graphs (1,000 if left out). The seeds are the numbers of the graphs.
"""

import gzip
import json
import math
import os
import random
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import networkx as nx
import pytest

from process import REPOSITORY, program

GRAPHS = int(os.environ.get("ENTENTE_GRAPHS", "1000"))
CASCADES = max(GRAPHS // 4, 50)
INFRA = Path(os.environ.get("ENTENTE_CORPUS") or REPOSITORY.parent / "shared" / "data") / "infra"


def resilience(*arguments: str) -> dict:
    done = subprocess.run([program(), "--json", "resilience", *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def measured(graph: nx.Graph, root: str, folder: Path, name: str) -> dict:
    """What the program says of an undirected graph. Its links run from the earlier to the later node, so that they make no circle."""
    place = {node: i for i, node in enumerate(graph.nodes)}
    rows = ["node,needs"] + [f'"{node}",' for node in graph.nodes]
    rows += [f'"{a}","{b}"' if place[a] < place[b] else f'"{b}","{a}"' for a, b in graph.edges]
    path = folder / f"{name}.csv"
    path.write_text("\n".join(rows) + "\n")
    return resilience("graph", str(path), "--top", root)


def compare(graph: nx.Graph, told: dict, root: str) -> None:
    assert told["nodes"] == graph.number_of_nodes()
    assert told["links"] == graph.number_of_edges()
    assert {p["node"] for p in told["articulation_points"]} == set(nx.articulation_points(graph))
    assert {frozenset(b) for b in told["bridges"]} == {frozenset(b) for b in nx.bridges(graph)}
    for point in told["articulation_points"]:
        component = nx.node_connected_component(graph, point["node"]) - {point["node"]}
        parts = sorted(len(part) for part in nx.connected_components(graph.subgraph(component)))
        assert (point["parts"], point["cut_off"]) == (len(parts), sum(parts[:-1]))
    for node, score in nx.betweenness_centrality(graph).items():
        assert math.isclose(told["betweenness"][node], score, rel_tol=1e-9, abs_tol=1e-9), node
    place = {node: i for i, node in enumerate(graph.nodes)}
    directed = nx.DiGraph()
    directed.add_nodes_from(graph.nodes)
    directed.add_edges_from((a, b) if place[a] < place[b] else (b, a) for a, b in graph.edges)
    dominators = {n: by for n, by in nx.immediate_dominators(directed, root).items() if n != root}
    assert told["dominators"][root] == dominators


def simple(graph) -> nx.Graph:
    """Names as text, links once, no loops."""
    plain = nx.Graph()
    plain.add_nodes_from(str(n) for n in graph.nodes)
    plain.add_edges_from((str(a), str(b)) for a, b in graph.edges() if a != b)
    return plain


def random_graph(seed: int) -> nx.Graph:
    dice = random.Random(seed)
    nodes = dice.randint(2, 40)
    kind = seed % 4
    if kind == 0:
        graph = nx.gnp_random_graph(nodes, dice.uniform(0.02, 0.3), seed=seed)
    elif kind == 1:
        graph = nx.gnm_random_graph(nodes, dice.randint(1, 2 * nodes), seed=seed)
    elif kind == 2:
        graph = nx.barabasi_albert_graph(max(nodes, 3), dice.randint(1, 2), seed=seed)
    else:
        graph = nx.random_labeled_tree(nodes, seed=seed)
        graph.add_edges_from((dice.randrange(nodes), dice.randrange(nodes)) for _ in range(dice.randint(0, 4)))
    graph = simple(graph)
    if graph.number_of_edges() == 0:
        graph.add_edge("0", "1")
    return graph


def test_random_graphs_are_measured_like_networkx(tmp_path):
    def one(seed: int) -> None:
        graph = random_graph(seed)
        # Something with needs, so that it is a gate.
        place = {node: i for i, node in enumerate(graph.nodes)}
        root = min(min(edge, key=place.get) for edge in graph.edges)
        compare(graph, measured(graph, root, tmp_path, f"g{seed}"), root)

    with ThreadPoolExecutor(2) as pool:
        # `list` raises what a graph raised.
        assert len(list(pool.map(one, range(GRAPHS)))) == GRAPHS
    print(f"{GRAPHS} random graphs equal")


def topologies() -> dict:
    found = {}
    for path in sorted((INFRA / "topology-zoo").glob("*.graphml")):
        found[path.stem] = simple(nx.read_graphml(path))
    for path in sorted((INFRA / "sndlib").glob("*.json")):
        data = json.loads(path.read_text())
        graph = nx.Graph()
        graph.add_nodes_from(n["id"] for n in data["nodes"])
        graph.add_edges_from((link["source"], link["target"]) for link in data["links"])
        found[path.stem] = simple(graph)
    for path in sorted((INFRA / "power-grids").iterdir()):
        text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text()
        frames = json.loads(text)["_object"]
        table = lambda name: json.loads(frames[name]["_object"]) if isinstance(frames[name]["_object"], str) else frames[name]["_object"]
        graph = nx.Graph()
        graph.add_nodes_from(table("bus")["index"])
        for name, ends in [("line", ("from_bus", "to_bus")), ("trafo", ("hv_bus", "lv_bus")), ("impedance", ("from_bus", "to_bus"))]:
            frame = table(name) if name in frames else {"columns": [], "data": []}
            if frame["data"]:
                a, b = (frame["columns"].index(end) for end in ends)
                graph.add_edges_from((row[a], row[b]) for row in frame["data"])
        found[path.name.split(".")[0]] = simple(graph)
    return found


def test_every_topology_of_the_corpus_is_measured_like_networkx(tmp_path):
    if not INFRA.is_dir():
        print("SKIPPED 40 topologies: no corpus")
        pytest.skip("no corpus")
    found = topologies()
    assert len(found) == 40, sorted(found)
    nodes = 0
    for name, graph in found.items():
        place = {node: i for i, node in enumerate(graph.nodes)}
        root = min((min(edge, key=place.get) for edge in graph.edges), key=place.get)
        compare(graph, measured(graph, root, tmp_path, name), root)
        nodes += graph.number_of_nodes()
    print(f"{len(found)} topologies with {nodes} nodes equal")


def naive_losses(nodes: dict, first: list) -> dict:
    """When each node is lost: relaxed again and again until nothing changes."""
    lost = {node: 0.0 if node in first else math.inf for node in nodes}
    changed = True
    while changed:
        changed = False
        for node, (needed, hold, needs) in nodes.items():
            if not needs or node in first:
                continue
            times = sorted(lost[other] + after for other, after in needs)
            # It goes down when fewer than `needed` of its needs are left.
            at = times[len(needs) - needed] + hold
            if at < lost[node]:
                lost[node], changed = at, True
    return {node: at for node, at in lost.items() if at < math.inf}


def test_cascades_run_like_a_naive_program(tmp_path):
    def one(seed: int) -> int:
        dice = random.Random(f"cascade {seed}")
        size = dice.randint(2, 15)
        nodes, rows = {}, ["node,needs,gate,k,hold_over_h,edge_hold_over_h,edge_delayed"]
        for i in range(size):
            # Needs of earlier nodes close circles: they are marked as delayed.
            others = dice.sample(range(size), dice.randint(0, min(4, size - 1)))
            others = [j for j in others if j != i] if i < size - 1 else []
            if i == 0 and not others:
                others = [1]
            gate = dice.choice(["needs-all", "needs-any", "needs-at-least"])
            needed = {"needs-all": len(others), "needs-any": 1}.get(gate) or (dice.randint(1, len(others)) if others else 0)
            hold = dice.choice([0, 0, 0.5, 4, 12])
            needs = []
            for place, j in enumerate(others):
                after = dice.choice([0, 0, 0, 1, 24])
                needs.append((f"n{j}", after))
                words = [gate, str(needed) if gate == "needs-at-least" else "", str(hold)] if place == 0 else ["", "", ""]
                rows.append(",".join([f"n{i}", f"n{j}", *words, str(after), "yes" if j < i else "no"]))
            if not others:
                rows.append(f"n{i},,,,{hold},,")
            nodes[f"n{i}"] = (needed, hold, needs)
        path = tmp_path / f"c{seed}.csv"
        path.write_text("\n".join(rows) + "\n")
        first = dice.sample(sorted(nodes), dice.randint(1, min(3, size)))
        told = resilience("cascade", str(path), "--top", "n0", "--fail", ",".join(first))
        wanted = naive_losses(nodes, first)
        assert {loss["lost"]: loss["hours"] for loss in told["losses"]} == pytest.approx(wanted, rel=1e-9, abs=1e-9), seed
        assert told["tops"][0]["lost_after_h"] == pytest.approx(wanted.get("n0"))
        order = [(loss["step"], loss["hours"]) for loss in told["losses"]]
        assert order == sorted(order), seed
        # What brought a node down went down before it.
        step = {loss["lost"]: loss["step"] for loss in told["losses"]}
        assert all(step[cause] < loss["step"] for loss in told["losses"] for cause in loss["because"]), seed
        return len(wanted)

    with ThreadPoolExecutor(2) as pool:
        lost = list(pool.map(one, range(CASCADES)))
    assert sum(n > 3 for n in lost) > CASCADES // 10, "enough cascades go somewhere"
    print(f"{CASCADES} cascades equal, {sum(lost)} losses")

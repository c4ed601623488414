//! Measures of the bare graph: who is connected with whom, whatever the gates say.
//!
//! A [`Network`] is read in two ways. Undirected, as cables and roads are: [`Network::articulation_points`], [`Network::bridges`],
//! [`Network::betweenness`]. Directed from a service to what it needs: [`Network::dominators`]. The first two and the last come from `petgraph`.

use petgraph::algo::{articulation_points::articulation_points, bridges::bridges, dominators};
use petgraph::graph::{DiGraph, NodeIndex, UnGraph};
use petgraph::visit::{EdgeRef as _, NodeIndexable as _};
use std::collections::{BTreeMap, VecDeque};

/// Nodes up to which betweenness is computed: its time grows with nodes times links, 10,000 nodes of a sparse network take seconds.
pub const BETWEENNESS_NODES_MAX: usize = 10_000;

/// A graph of numbered nodes. Parallel links are kept: two cables between the same places make neither a bridge. Loops count for nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Network {
    nodes: u32,
    links: Vec<(u32, u32)>,
}

/// A node whose loss splits its component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArticulationPoint {
    /// The node.
    pub node: u32,
    /// Parts into which the rest of its component falls (two or more).
    pub parts: u32,
    /// Nodes outside the largest of these parts.
    pub cut_off: u32,
}

impl Network {
    /// A graph of `nodes` nodes, numbered from 0. Links to nodes that there are not are left out.
    pub fn new(nodes: u32, links: impl IntoIterator<Item = (u32, u32)>) -> Self {
        Self { nodes, links: links.into_iter().filter(|(a, b)| *a < nodes && *b < nodes && a != b).collect() }
    }

    /// How many nodes.
    pub fn nodes(&self) -> u32 {
        self.nodes
    }

    /// The links, each from a node to what it needs; undirected measures ignore the direction.
    pub fn links(&self) -> &[(u32, u32)] {
        &self.links
    }

    /// How often each undirected link is there.
    fn multiplicity(&self) -> BTreeMap<(u32, u32), u32> {
        let mut count = BTreeMap::new();
        for (a, b) in &self.links {
            *count.entry((*a.min(b), *a.max(b))).or_insert(0) += 1;
        }
        count
    }

    fn simple(&self) -> UnGraph<(), ()> {
        let links = self.multiplicity();
        let mut graph = UnGraph::with_capacity(self.nodes as usize, links.len());
        for _ in 0..self.nodes {
            graph.add_node(());
        }
        for (a, b) in links.into_keys() {
            graph.add_edge(NodeIndex::new(a as usize), NodeIndex::new(b as usize), ());
        }
        graph
    }

    /// Neighbours without direction, each once, in order.
    fn neighbours(&self) -> Vec<Vec<u32>> {
        let mut lists = vec![Vec::new(); self.nodes as usize];
        for (a, b) in self.multiplicity().into_keys() {
            lists[a as usize].push(b);
            lists[b as usize].push(a);
        }
        lists
    }

    /// Nodes without which the network falls apart, in order.
    pub fn articulation_points(&self) -> Vec<ArticulationPoint> {
        let graph = self.simple();
        let mut points: Vec<u32> =
            articulation_points(&graph).into_iter().filter_map(|n| u32::try_from(n.index()).ok()).collect();
        points.sort_unstable();
        let walk = Walk::over(&self.neighbours());
        points
            .into_iter()
            .map(|node| {
                let parts = walk.parts_without(node);
                let largest = parts.iter().max().copied().unwrap_or(0);
                let all: u32 = parts.iter().sum();
                ArticulationPoint {
                    node,
                    parts: u32::try_from(parts.len()).unwrap_or(u32::MAX),
                    cut_off: all - largest,
                }
            })
            .collect()
    }

    /// Links without which the network falls apart, as (smaller, larger) node, in order. A doubled link is none.
    pub fn bridges(&self) -> Vec<(u32, u32)> {
        let graph = self.simple();
        let count = self.multiplicity();
        let number = |n: NodeIndex| u32::try_from(graph.to_index(n)).unwrap_or(u32::MAX);
        let mut found: Vec<(u32, u32)> = bridges(&graph)
            .map(|edge| (number(edge.source()), number(edge.target())))
            .map(|(a, b)| (a.min(b), a.max(b)))
            .filter(|link| count.get(link) == Some(&1))
            .collect();
        found.sort_unstable();
        found
    }

    /// For each node reachable from `root` along the links' direction, other than `root`: the last node that every way to it passes (its
    /// immediate dominator). If that is not `root`, nothing reaches the node without it.
    pub fn dominators(&self, root: u32) -> BTreeMap<u32, u32> {
        if root >= self.nodes {
            return BTreeMap::new();
        }
        let mut graph: DiGraph<(), ()> = DiGraph::with_capacity(self.nodes as usize, self.links.len());
        for _ in 0..self.nodes {
            graph.add_node(());
        }
        for (a, b) in &self.links {
            graph.add_edge(NodeIndex::new(*a as usize), NodeIndex::new(*b as usize), ());
        }
        let found = dominators::simple_fast(&graph, NodeIndex::new(root as usize));
        (0..self.nodes)
            .filter_map(|n| {
                let by = found.immediate_dominator(NodeIndex::new(n as usize))?;
                Some((n, u32::try_from(by.index()).ok()?))
            })
            .collect()
    }

    /// For each node the share of shortest ways between other nodes that pass it (0 to 1; Brandes' algorithm, undirected, each pair once,
    /// divided by the number of pairs). `None` above [`BETWEENNESS_NODES_MAX`] nodes.
    #[allow(clippy::cast_precision_loss)] // counts of ways are floats by nature: they grow beyond any integer
    pub fn betweenness(&self) -> Option<Vec<f64>> {
        let n = self.nodes as usize;
        if n > BETWEENNESS_NODES_MAX {
            return None;
        }
        let neighbours = self.neighbours();
        let mut score = vec![0.0; n];
        for source in 0..n {
            let mut distance = vec![u32::MAX; n];
            let mut ways = vec![0.0_f64; n];
            let mut order = Vec::with_capacity(n);
            let mut open = VecDeque::from([source]);
            distance[source] = 0;
            ways[source] = 1.0;
            while let Some(node) = open.pop_front() {
                order.push(node);
                for next in neighbours[node].iter().map(|m| *m as usize) {
                    if distance[next] == u32::MAX {
                        distance[next] = distance[node] + 1;
                        open.push_back(next);
                    }
                    if distance[next] == distance[node] + 1 {
                        ways[next] += ways[node];
                    }
                }
            }
            let mut share = vec![0.0; n];
            for node in order.into_iter().rev() {
                for before in neighbours[node].iter().map(|m| *m as usize) {
                    if distance[before] != u32::MAX && distance[before] + 1 == distance[node] {
                        share[before] += ways[before] / ways[node] * (1.0 + share[node]);
                    }
                }
                if node != source {
                    score[node] += share[node];
                }
            }
        }
        // Each pair was counted from both ends.
        let pairs = if n > 2 { (n - 1) as f64 * (n - 2) as f64 } else { 1.0 };
        Some(score.into_iter().map(|s| s / pairs).collect())
    }
}

/// A depth-first walk over every component, for the sizes of what hangs on a node.
struct Walk {
    /// When each node was met.
    met: Vec<u32>,
    /// The earliest node that the node's subtree is linked to.
    low: Vec<u32>,
    /// Nodes in the node's subtree, itself included.
    size: Vec<u32>,
    /// Children in the walk.
    children: Vec<Vec<u32>>,
    /// The root of the node's component.
    root: Vec<u32>,
}

impl Walk {
    fn over(neighbours: &[Vec<u32>]) -> Self {
        let n = neighbours.len();
        let mut walk = Self {
            met: vec![u32::MAX; n],
            low: vec![u32::MAX; n],
            size: vec![1; n],
            children: vec![Vec::new(); n],
            root: vec![0; n],
        };
        let mut clock = 0;
        for root in 0..u32::try_from(n).unwrap_or(u32::MAX) {
            if walk.met[root as usize] != u32::MAX {
                continue;
            }
            // (node, its parent, how many of its neighbours are done)
            let mut path = vec![(root, root, 0_usize)];
            walk.meet(root, root, &mut clock);
            while let Some((node, parent, done)) = path.last_mut() {
                let (node, parent) = (*node, *parent);
                if let Some(next) = neighbours[node as usize].get(*done).copied() {
                    *done += 1;
                    if walk.met[next as usize] == u32::MAX {
                        walk.meet(next, root, &mut clock);
                        walk.children[node as usize].push(next);
                        path.push((next, node, 0));
                    } else if next != parent {
                        walk.low[node as usize] = walk.low[node as usize].min(walk.met[next as usize]);
                    }
                } else {
                    path.pop();
                    if node != root {
                        walk.size[parent as usize] += walk.size[node as usize];
                        walk.low[parent as usize] = walk.low[parent as usize].min(walk.low[node as usize]);
                    }
                }
            }
        }
        walk
    }

    fn meet(&mut self, node: u32, root: u32, clock: &mut u32) {
        self.met[node as usize] = *clock;
        self.low[node as usize] = *clock;
        self.root[node as usize] = root;
        *clock += 1;
    }

    /// Sizes of the parts into which the node's component falls without it.
    fn parts_without(&self, node: u32) -> Vec<u32> {
        let at = node as usize;
        let hanging = self.children[at].iter().filter(|c| self.low[**c as usize] >= self.met[at]);
        let mut parts: Vec<u32> = hanging.map(|c| self.size[*c as usize]).collect();
        let rest = self.size[self.root[at] as usize] - 1 - parts.iter().sum::<u32>();
        if rest > 0 {
            parts.push(rest);
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Two triangles joined by a link, and a tail: 0-1-2-0, 2-3, 3-4-5-3, 5-6.
    fn two_triangles() -> Network {
        Network::new(7, [(0, 1), (1, 2), (2, 0), (2, 3), (3, 4), (4, 5), (5, 3), (5, 6)])
    }

    #[test]
    fn what_splits_a_network_is_found() {
        let network = two_triangles();
        let found: Vec<_> = network.articulation_points().iter().map(|p| (p.node, p.parts, p.cut_off)).collect();
        assert_eq!(found, [(2, 2, 2), (3, 2, 3), (5, 2, 1)]);
        assert_eq!(network.bridges(), [(2, 3), (5, 6)]);
    }

    #[test]
    fn a_doubled_link_is_no_bridge_and_a_loop_is_nothing() {
        let network = Network::new(3, [(0, 1), (1, 0), (1, 2), (2, 2), (7, 0)]);
        assert_eq!(network.bridges(), [(1, 2)]);
        assert_eq!(network.articulation_points().iter().map(|p| p.node).collect::<Vec<_>>(), [1]);
        assert_eq!(network.links().len(), 3);
    }

    #[test]
    fn every_way_from_the_service_passes_its_dominators() {
        // 0 needs 1 and 2, both need 3, 3 needs 4; 5 is not reached.
        let network = Network::new(6, [(0, 1), (0, 2), (1, 3), (2, 3), (3, 4), (5, 4)]);
        assert_eq!(network.dominators(0), BTreeMap::from([(1, 0), (2, 0), (3, 0), (4, 3)]));
        assert_eq!(network.dominators(9), BTreeMap::new());
    }

    #[test]
    fn the_middle_of_a_chain_is_passed_by_every_way() {
        let scores = Network::new(3, [(0, 1), (1, 2)]).betweenness().unwrap();
        assert_eq!(scores, [0.0, 1.0, 0.0]);
        let edge = u32::try_from(BETWEENNESS_NODES_MAX).unwrap();
        assert!(Network::new(edge + 1, []).betweenness().is_none());
    }
}

//! A layered layout from left to right: what needs stands left of what is needed.
//!
//! Sugiyama's steps: links that close a loop are turned; each node's column is the longest way to it; links over several columns get a bend in each;
//! the order inside a column follows the neighbours' (barycentres, the order with the fewest crossings is kept); heights are the nearest to the
//! neighbours' that the order and the gaps allow (least squares). The same graph always gives the same drawing.

/// Sweeps over the columns to lessen crossings.
const ORDER_SWEEPS: usize = 12;
/// Sweeps over the columns to straighten links.
const PLACE_SWEEPS: usize = 10;

/// Where a layout puts things. Lengths in pixels.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Layout {
    /// Column of each node.
    pub(crate) column: Vec<usize>,
    /// Middle of each node from the top.
    pub(crate) y: Vec<f64>,
    /// For each link the (column, height) points it passes, ends included, in the direction that the link was given.
    pub(crate) routes: Vec<Vec<(usize, f64)>>,
    /// Number of columns.
    pub(crate) columns: usize,
    /// Height of the whole.
    pub(crate) height: f64,
}

/// One place in a column: a node, or a bend of a link.
#[derive(Debug, Clone, Default)]
struct Place {
    half: f64,
    left: Vec<usize>,
    right: Vec<usize>,
}

/// Lays out nodes of the given heights. Links go from the left to the right; those to nodes that there are not are passed over, with an empty route.
pub(crate) fn layout(heights: &[f64], links: &[(u32, u32)], gap: f64) -> Layout {
    let n = heights.len();
    let ends: Vec<Option<(usize, usize)>> = links
        .iter()
        .map(|(a, b)| (*a as usize, *b as usize))
        .map(|(a, b)| (a < n && b < n && a != b).then_some((a, b)))
        .collect();
    let turned = turned_links(n, &ends);
    let forward = |i: usize, (a, b): (usize, usize)| if turned[i] { (b, a) } else { (a, b) };
    let edges: Vec<Option<(usize, usize)>> = ends.iter().enumerate().map(|(i, e)| e.map(|e| forward(i, e))).collect();
    let column = columns(n, &edges);

    let mut places: Vec<Place> = heights.iter().map(|h| Place { half: h / 2.0, ..Place::default() }).collect();
    let mut place_column = column.clone();
    let mut chains: Vec<Vec<usize>> = Vec::with_capacity(edges.len());
    for edge in &edges {
        let Some((a, b)) = *edge else {
            chains.push(Vec::new());
            continue;
        };
        let mut chain = vec![a];
        for at in column[a] + 1..column[b] {
            chain.push(places.len());
            places.push(Place { half: 2.0, ..Place::default() });
            place_column.push(at);
        }
        chain.push(b);
        for pair in chain.windows(2) {
            places[pair[0]].right.push(pair[1]);
            places[pair[1]].left.push(pair[0]);
        }
        chains.push(chain);
    }
    let count = column.iter().max().map_or(0, |c| c + 1);
    let order = ordered(&places, &place_column, count);
    let y = placed(&places, &order, gap);
    let height = places.iter().zip(&y).map(|(p, y)| y + p.half).fold(0.0, f64::max);
    let routes = chains
        .iter()
        .enumerate()
        .map(|(i, chain)| {
            let mut route: Vec<(usize, f64)> = chain.iter().map(|p| (place_column[*p], y[*p])).collect();
            if turned[i] {
                route.reverse();
            }
            route
        })
        .collect();
    Layout { column, y: y.get(..n).unwrap_or_default().to_vec(), routes, columns: count, height }
}

/// Which links close a loop in a depth-first walk.
fn turned_links(n: usize, links: &[Option<(usize, usize)>]) -> Vec<bool> {
    let mut out: Vec<Vec<(usize, usize)>> = vec![Vec::new(); n];
    for (i, link) in links.iter().enumerate() {
        if let Some((a, b)) = link {
            out[*a].push((*b, i));
        }
    }
    let mut turned = vec![false; links.len()];
    // 0 not met, 1 on the way, 2 done
    let mut state = vec![0_u8; n];
    for start in 0..n {
        if state[start] != 0 {
            continue;
        }
        state[start] = 1;
        let mut path = vec![(start, 0)];
        while let Some((node, done)) = path.last_mut() {
            let node = *node;
            if let Some((next, link)) = out[node].get(*done).copied() {
                *done += 1;
                match state[next] {
                    0 => {
                        state[next] = 1;
                        path.push((next, 0));
                    }
                    1 => turned[link] = true,
                    _ => {}
                }
            } else {
                state[node] = 2;
                path.pop();
            }
        }
    }
    turned
}

/// The longest way to each node. The links have no loop.
fn columns(n: usize, edges: &[Option<(usize, usize)>]) -> Vec<usize> {
    let mut into = vec![0_usize; n];
    let mut out: Vec<Vec<usize>> = vec![Vec::new(); n];
    for (a, b) in edges.iter().flatten() {
        into[*b] += 1;
        out[*a].push(*b);
    }
    let mut column = vec![0; n];
    let mut open: Vec<usize> = (0..n).filter(|i| into[*i] == 0).collect();
    while let Some(node) = open.pop() {
        for next in &out[node] {
            column[*next] = column[*next].max(column[node] + 1);
            into[*next] -= 1;
            if into[*next] == 0 {
                open.push(*next);
            }
        }
    }
    column
}

/// The places of each column from top to bottom.
fn ordered(places: &[Place], column: &[usize], count: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<Vec<usize>> = vec![Vec::new(); count];
    // First guess: depth-first from the left, so that what belongs together stands together.
    let mut seen = vec![false; places.len()];
    let mut by_column: Vec<usize> = (0..places.len()).collect();
    by_column.sort_by_key(|p| column[*p]);
    for start in by_column {
        let mut open = vec![start];
        while let Some(place) = open.pop() {
            if std::mem::replace(&mut seen[place], true) {
                continue;
            }
            order[column[place]].push(place);
            open.extend(places[place].right.iter().rev());
        }
    }
    let mut position = vec![0; places.len()];
    note(&order, &mut position);
    let mut best = (crossings(places, &order, &position), order.clone());
    for sweep in 0..ORDER_SWEEPS {
        if best.0 == 0 {
            break;
        }
        let rightward = sweep % 2 == 0;
        let walk: Vec<usize> =
            if rightward { (1..count).collect() } else { (0..count.saturating_sub(1)).rev().collect() };
        for at in walk {
            let mut keyed: Vec<(f64, usize)> = order[at]
                .iter()
                .map(|p| {
                    let beside = if rightward { &places[*p].left } else { &places[*p].right };
                    (mean(beside.iter().map(|q| position[*q])).unwrap_or(to_f64(position[*p])), *p)
                })
                .collect();
            keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
            order[at] = keyed.into_iter().map(|(_, p)| p).collect();
            for (i, p) in order[at].iter().enumerate() {
                position[*p] = i;
            }
        }
        let crossed = crossings(places, &order, &position);
        if crossed < best.0 {
            best = (crossed, order.clone());
        }
    }
    best.1
}

fn note(order: &[Vec<usize>], position: &mut [usize]) {
    for column in order {
        for (i, p) in column.iter().enumerate() {
            position[*p] = i;
        }
    }
}

/// How many pairs of links cross, counted by inversions (a Fenwick tree over the right-hand positions).
fn crossings(places: &[Place], order: &[Vec<usize>], position: &[usize]) -> usize {
    let mut total = 0;
    for pair in order.windows(2) {
        let (left, right) = (&pair[0], &pair[1]);
        let mut tree = vec![0_usize; right.len() + 1];
        let mut inserted = 0;
        for place in left {
            let mut targets: Vec<usize> = places[*place].right.iter().map(|q| position[*q]).collect();
            targets.sort_unstable();
            for target in &targets {
                let mut not_below = 0;
                let mut i = target + 1;
                while i > 0 {
                    not_below += tree[i];
                    i &= i - 1;
                }
                total += inserted - not_below;
            }
            for target in targets {
                let mut i = target + 1;
                while i < tree.len() {
                    tree[i] += 1;
                    i += i & i.wrapping_neg();
                }
                inserted += 1;
            }
        }
    }
    total
}

/// Heights of all places.
fn placed(places: &[Place], order: &[Vec<usize>], gap: f64) -> Vec<f64> {
    let mut y = vec![0.0; places.len()];
    for column in order {
        let mut top = 0.0;
        for p in column {
            y[*p] = top + places[*p].half;
            top += 2.0 * places[*p].half + gap;
        }
    }
    for sweep in 0..PLACE_SWEEPS {
        let rightward = sweep % 2 == 0;
        let last = sweep + 2 >= PLACE_SWEEPS;
        let walk: Vec<usize> = if rightward { (0..order.len()).collect() } else { (0..order.len()).rev().collect() };
        for at in walk {
            let wish: Vec<f64> = order[at]
                .iter()
                .map(|p| {
                    let place = &places[*p];
                    let (first, second) =
                        if rightward { (&place.left, &place.right) } else { (&place.right, &place.left) };
                    let beside: Vec<usize> = if last { [&first[..], &second[..]].concat() } else { first.clone() };
                    let beside = if beside.is_empty() { second.clone() } else { beside };
                    let sum: f64 = beside.iter().map(|q| y[*q]).sum();
                    if beside.is_empty() { y[*p] } else { sum / to_f64(beside.len()) }
                })
                .collect();
            let halves: Vec<f64> = order[at].iter().map(|p| places[*p].half).collect();
            for (p, height) in order[at].iter().zip(nearest(&wish, &halves, gap)) {
                y[*p] = height;
            }
        }
    }
    let top = places.iter().zip(&y).map(|(p, y)| y - p.half).fold(f64::INFINITY, f64::min);
    if top.is_finite() {
        for y in &mut y {
            *y -= top;
        }
    }
    y
}

/// The heights nearest to the wishes (least squares) that keep order and gaps: pool adjacent violators.
fn nearest(wish: &[f64], halves: &[f64], gap: f64) -> Vec<f64> {
    // Offsets at which the places stand when packed; the rest is a non-decreasing fit.
    let mut offsets = Vec::with_capacity(wish.len());
    let mut at = 0.0;
    for (i, half) in halves.iter().enumerate() {
        if i > 0 {
            at += halves[i - 1] + gap + half;
        }
        offsets.push(at);
    }
    let mut pools: Vec<(f64, usize)> = Vec::new();
    for (wish, offset) in wish.iter().zip(&offsets) {
        pools.push((wish - offset, 1));
        while let [.., (before, n), (after, m)] = pools[..] {
            if before <= after {
                break;
            }
            pools.truncate(pools.len() - 2);
            pools.push(((before * to_f64(n) + after * to_f64(m)) / to_f64(n + m), n + m));
        }
    }
    let fitted = pools.iter().flat_map(|(value, n)| std::iter::repeat_n(*value, *n));
    fitted.zip(offsets).map(|(value, offset)| value + offset).collect()
}

fn mean(values: impl Iterator<Item = usize>) -> Option<f64> {
    let (sum, n) = values.fold((0, 0), |(sum, n), v| (sum + v, n + 1));
    (n > 0).then(|| to_f64(sum) / to_f64(n))
}

/// Counts of things drawn are small.
#[allow(clippy::cast_precision_loss)]
fn to_f64(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diamond_has_three_columns_and_no_crossing() {
        let layout = layout(&[20.0; 4], &[(0, 1), (0, 2), (1, 3), (2, 3)], 10.0);
        assert_eq!(layout.column, [0, 1, 1, 2]);
        assert!((layout.y[1] - layout.y[2]).abs() >= 30.0);
        assert!((layout.y[0] - layout.y[3]).abs() < 1e-9 && layout.height >= 50.0);
    }

    #[test]
    fn a_long_link_bends_in_every_column_it_passes() {
        let layout = layout(&[20.0; 3], &[(0, 1), (1, 2), (0, 2)], 10.0);
        assert_eq!(layout.routes[2].iter().map(|p| p.0).collect::<Vec<_>>(), [0, 1, 2]);
        assert!((layout.routes[2][1].1 - layout.y[1]).abs() >= 22.0, "the bend does not run through the node");
    }

    #[test]
    fn a_loop_is_drawn_with_one_link_turned() {
        let layout = layout(&[20.0; 3], &[(0, 1), (1, 2), (2, 0), (1, 9)], 10.0);
        assert_eq!(layout.column, [0, 1, 2]);
        assert_eq!(layout.routes[2].iter().map(|p| p.0).collect::<Vec<_>>(), [2, 1, 0]);
        assert!(layout.routes[3].is_empty());
    }

    #[test]
    fn crossings_that_can_be_avoided_are() {
        // Two stars whose leaves were given interleaved.
        let links = [(0, 2), (1, 3), (0, 4), (1, 5), (0, 6), (1, 7)];
        let layout = layout(&[20.0; 8], &links, 10.0);
        let side = |n: usize| layout.y[n];
        let first = [2, 4, 6].map(side);
        let second = [3, 5, 7].map(side);
        let (low, high) = if first[0] < second[0] { (first, second) } else { (second, first) };
        assert!(low.iter().all(|a| high.iter().all(|b| a < b)));
    }

    #[test]
    fn nothing_is_laid_out_as_nothing() {
        assert_eq!(layout(&[], &[], 10.0), Layout::default());
    }

    #[test]
    fn places_keep_their_gaps_and_come_near_their_wishes() {
        let y = nearest(&[10.0, 10.0, 100.0], &[5.0; 3], 2.0);
        assert_eq!(y, [4.0, 16.0, 100.0]);
    }
}

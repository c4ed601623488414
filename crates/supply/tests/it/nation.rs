//! A small nation of the benchmark's kind: what is computed with a limit of order equals what is computed without.

#[path = "../../benches/national.rs"]
mod national;

use national::{SEED, national};
use std::ops::ControlFlow;
use supply::resilience::{Analysis, Budget, Question};

#[test]
fn limited_orders_of_a_nation_are_those_of_the_whole() {
    let model = national(SEED, 3_000).unwrap().build().unwrap();
    let again = national(SEED, 3_000).unwrap().build().unwrap();
    assert_eq!(model.len(), again.len());
    assert!((2_700..3_300).contains(&model.len()), "{}", model.len());
    let go = &mut |_: &_| ControlFlow::Continue(());
    for top in &model.tops()[1..] {
        let question = |order_max| Question { order_max, ..Question::default() };
        let whole = Analysis::run(&model, *top, question(None), Budget::default(), go);
        assert!(whole.is_finished(), "{}", model.node_name(*top));
        let limited =
            Analysis::run(&model, *top, question(Some(3)), Budget { steps: 300_000, ..Budget::default() }, go);
        let mut wanted = whole.counts().by_order;
        let up_to = limited.counts().truncated.map_or(3, |t| t.order);
        wanted.retain(|o, _| *o <= up_to);
        assert_eq!(limited.counts().by_order, wanted, "{}", model.node_name(*top));
    }
}

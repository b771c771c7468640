//! The supervision tree for people.

use std::fmt::Write as _;

use playhouse_runtime::supervisors::{NodeKind, NodeState, Strategy, TreeNode};

use super::words;
use crate::style::Style;

/// The tree, a line a node.
pub(crate) fn text(root: &TreeNode, style: Style) -> String {
    let mut lines = Vec::new();
    lines.push((root.name.clone(), facts(root)));
    collect(root, "", &mut lines);
    let width = lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for (name, facts) in lines {
        let _ = writeln!(text, "{name:<width$}  {}", style.dim(&facts));
    }
    text
}

fn collect(node: &TreeNode, indent: &str, lines: &mut Vec<(String, String)>) {
    let last = node.children.len().saturating_sub(1);
    for (index, child) in node.children.iter().enumerate() {
        let (branch, below) = if index == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        lines.push((format!("{indent}{branch}{}", child.name), facts(child)));
        collect(child, &format!("{indent}{below}"), lines);
    }
}

fn facts(node: &TreeNode) -> String {
    let mut facts = vec![state(node.state)];
    match &node.kind {
        NodeKind::Actor => {}
        NodeKind::Supervisor { strategy } => facts.push(strategy_name(*strategy).to_owned()),
        NodeKind::DynamicSupervisor { counts, .. } => {
            facts.push(format!("{} live, {} failed", counts.live, counts.failed));
        }
    }
    let restarts = node.restarts_total();
    if restarts > 0 {
        facts.push(words::counted(restarts, "restart"));
    }
    if let Some(waiting) = node.mailbox_len.filter(|waiting| *waiting > 0) {
        facts.push(format!("{waiting} waiting"));
    }
    if let Some(failure) = &node.last_failure {
        facts.push(format!("failed {} ago: {}", words::seconds(failure.ago_ms), failure.cause));
    }
    facts.join(", ")
}

fn state(state: NodeState) -> String {
    match state {
        NodeState::Starting => "starting".to_owned(),
        NodeState::Running => "running".to_owned(),
        NodeState::Backoff { remaining_ms } => format!("restarts in {}", words::seconds(remaining_ms)),
        NodeState::Stopping => "stopping".to_owned(),
        NodeState::Stopped => "stopped".to_owned(),
        NodeState::Failed => "failed".to_owned(),
        NodeState::Unresponsive => "does not answer".to_owned(),
    }
}

const fn strategy_name(strategy: Strategy) -> &'static str {
    match strategy {
        Strategy::OneForOne => "one_for_one",
        Strategy::OneForAll => "one_for_all",
        Strategy::RestForOne => "rest_for_one",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, kind: NodeKind, children: Vec<TreeNode>) -> TreeNode {
        TreeNode {
            name: name.to_owned(),
            kind,
            restart: None,
            state: NodeState::Running,
            uptime_ms: Some(1),
            restarts: std::collections::BTreeMap::new(),
            restarts_with_sibling: 0,
            last_failure: None,
            mailbox_len: None,
            children,
        }
    }

    #[test]
    fn a_tree_is_drawn_with_its_branches_and_states() {
        let one_for_one = || NodeKind::Supervisor { strategy: Strategy::OneForOne };
        let tree = node(
            "runtime",
            NodeKind::Supervisor { strategy: Strategy::RestForOne },
            vec![
                node("models", one_for_one(), vec![node("demo", NodeKind::Actor, Vec::new())]),
                node("orchestration", one_for_one(), Vec::new()),
            ],
        );
        assert_eq!(
            text(&tree, Style::PLAIN),
            "runtime           running, rest_for_one
├─ models         running, one_for_one
│  └─ demo        running
└─ orchestration  running, one_for_one
"
        );
    }
}

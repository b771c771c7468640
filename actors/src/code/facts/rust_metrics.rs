//! Counts what a Rust syntax tree tells.

use playhouse_protocol::code::SyntaxMetrics;
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::visit::{self, Visit};

/// Measures a file.
pub(super) fn measure(file: &syn::File) -> SyntaxMetrics {
    let mut visitor = Visitor::default();
    visitor.visit_file(file);
    visitor.metrics
}

#[derive(Default)]
struct Visitor {
    metrics: SyntaxMetrics,
    /// Inside a `#[cfg(test)]` item or a test function.
    in_test: bool,
    /// Of the function that is being read.
    complexity: u32,
    nesting: u32,
}

/// How deep macros' arguments are searched; the parser has bounded brackets already, this bounds our own part.
const MACRO_DEPTH_MAX: u32 = 200;

impl Visitor {
    /// Reads an item with these attributes; what stands in test code is marked as such.
    fn item(&mut self, attrs: &[syn::Attribute], read: impl FnOnce(&mut Self)) {
        let outer = self.in_test;
        self.in_test |= attrs.iter().any(is_cfg_test);
        read(self);
        self.in_test = outer;
    }

    fn public(&mut self, vis: &syn::Visibility, attrs: &[syn::Attribute]) {
        if matches!(vis, syn::Visibility::Public(_)) && !self.in_test && !attrs.iter().any(is_cfg_test) {
            self.metrics.public_items += 1;
            self.metrics.public_items_documented +=
                u32::from(attrs.iter().any(|attr| attr.path().is_ident("doc")));
        }
    }

    fn function(&mut self, attrs: &[syn::Attribute], sig: &syn::Signature, body: &syn::Block) {
        let outer = (self.in_test, self.complexity, self.nesting);
        let is_test = attrs.iter().any(is_test);
        self.in_test |= is_test || attrs.iter().any(is_cfg_test);
        (self.complexity, self.nesting) = (1, 0);
        self.metrics.unsafe_uses += u32::from(matches!(sig.safety, syn::Safety::Unsafe(_)));
        if is_test {
            self.metrics.tests += 1;
            let panics = attrs.iter().any(|attr| attr.path().is_ident("should_panic"));
            self.metrics.test_assertions += u32::from(panics);
        }
        for statement in &body.stmts {
            self.visit_stmt(statement);
        }
        if !self.in_test {
            let metrics = &mut self.metrics;
            let lines =
                body.brace_token.span.close().end().line + 1 - body.brace_token.span.open().start().line;
            metrics.functions += 1;
            metrics.function_lines_max =
                metrics.function_lines_max.max(u32::try_from(lines).unwrap_or(u32::MAX));
            metrics.complexity_max = metrics.complexity_max.max(self.complexity);
        }
        (self.in_test, self.complexity, self.nesting) = outer;
    }

    fn nested(&mut self, read: impl FnOnce(&mut Self)) {
        self.nesting += 1;
        if !self.in_test {
            self.metrics.nesting_max = self.metrics.nesting_max.max(self.nesting);
        }
        read(self);
        self.nesting -= 1;
    }

    fn macro_named(&mut self, name: &str) {
        let placeholder = matches!(name, "todo" | "unimplemented");
        self.metrics.placeholders += u32::from(placeholder);
        if self.in_test {
            let asserts = ["assert", "debug_assert", "prop_assert"];
            self.metrics.test_assertions += u32::from(asserts.iter().any(|prefix| name.starts_with(prefix)));
        } else {
            self.metrics.panicking_calls += u32::from(placeholder || name == "panic");
        }
    }

    fn method_named(&mut self, name: &str, arguments: bool) {
        let panics = (name == "unwrap" && !arguments) || (name == "expect" && arguments);
        self.metrics.panicking_calls += u32::from(panics && !self.in_test);
    }

    /// Looks for macros, panicking calls and branches in tokens that no one parses.
    fn tokens(&mut self, tokens: &TokenStream, depth_left: u32) {
        let trees: Vec<_> = tokens.clone().into_iter().collect();
        for (at, tree) in trees.iter().enumerate() {
            match tree {
                TokenTree::Group(group) if depth_left > 0 => self.tokens(&group.stream(), depth_left - 1),
                TokenTree::Ident(name) => {
                    let name = name.to_string();
                    let after_dot = at > 0 && is_punct(&trees[at - 1], '.');
                    match trees.get(at + 1) {
                        Some(next)
                            if is_punct(next, '!')
                                && matches!(trees.get(at + 2), Some(TokenTree::Group(_))) =>
                        {
                            self.macro_named(&name);
                        }
                        Some(TokenTree::Group(group))
                            if after_dot && group.delimiter() == Delimiter::Parenthesis =>
                        {
                            self.method_named(&name, !group.stream().is_empty());
                        }
                        _ => {}
                    }
                    self.complexity += u32::from(matches!(name.as_str(), "if" | "while" | "for"));
                }
                TokenTree::Group(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }
}

fn is_punct(tree: &TokenTree, char: char) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == char)
}

fn is_test(attr: &syn::Attribute) -> bool {
    attr.path().segments.last().is_some_and(|segment| segment.ident == "test")
}

fn is_cfg_test(attr: &syn::Attribute) -> bool {
    attr.path().is_ident("cfg")
        && attr.parse_args::<syn::Path>().is_ok_and(|condition| condition.is_ident("test"))
}

impl<'ast> Visit<'ast> for Visitor {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        match item {
            syn::Item::Const(syn::ItemConst { vis, attrs, .. })
            | syn::Item::Enum(syn::ItemEnum { vis, attrs, .. })
            | syn::Item::Fn(syn::ItemFn { vis, attrs, .. })
            | syn::Item::Mod(syn::ItemMod { vis, attrs, .. })
            | syn::Item::Static(syn::ItemStatic { vis, attrs, .. })
            | syn::Item::Struct(syn::ItemStruct { vis, attrs, .. })
            | syn::Item::Trait(syn::ItemTrait { vis, attrs, .. })
            | syn::Item::Type(syn::ItemType { vis, attrs, .. })
            | syn::Item::Union(syn::ItemUnion { vis, attrs, .. }) => self.public(vis, attrs),
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        self.item(&module.attrs, |visitor| visit::visit_item_mod(visitor, module));
    }

    fn visit_item_impl(&mut self, block: &'ast syn::ItemImpl) {
        self.item(&block.attrs, |visitor| visit::visit_item_impl(visitor, block));
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.function(&function.attrs, &function.sig, &function.block);
    }

    fn visit_impl_item_fn(&mut self, method: &'ast syn::ImplItemFn) {
        self.public(&method.vis, &method.attrs);
        self.function(&method.attrs, &method.sig, &method.block);
    }

    fn visit_trait_item_fn(&mut self, method: &'ast syn::TraitItemFn) {
        if let Some(body) = &method.default {
            self.function(&method.attrs, &method.sig, body);
        }
    }

    fn visit_expr_if(&mut self, branch: &'ast syn::ExprIf) {
        self.complexity += 1;
        self.visit_expr(&branch.cond);
        self.nested(|visitor| visitor.visit_block(&branch.then_branch));
        match &branch.else_branch {
            // `else if` stands on the level of its `if`.
            Some((_, next)) if matches!(**next, syn::Expr::If(_)) => self.visit_expr(next),
            Some((_, next)) => self.nested(|visitor| visitor.visit_expr(next)),
            None => {}
        }
    }

    fn visit_expr_match(&mut self, choice: &'ast syn::ExprMatch) {
        self.complexity += u32::try_from(choice.arms.len().saturating_sub(1)).unwrap_or(u32::MAX);
        self.visit_expr(&choice.expr);
        self.nested(|visitor| choice.arms.iter().for_each(|arm| visitor.visit_arm(arm)));
    }

    fn visit_pat_guard(&mut self, guard: &'ast syn::PatGuard) {
        self.complexity += 1;
        visit::visit_pat_guard(self, guard);
    }

    fn visit_expr_while(&mut self, repeat: &'ast syn::ExprWhile) {
        self.complexity += 1;
        self.nested(|visitor| visit::visit_expr_while(visitor, repeat));
    }

    fn visit_expr_for_loop(&mut self, repeat: &'ast syn::ExprForLoop) {
        self.complexity += 1;
        self.nested(|visitor| visit::visit_expr_for_loop(visitor, repeat));
    }

    fn visit_expr_loop(&mut self, repeat: &'ast syn::ExprLoop) {
        self.nested(|visitor| visit::visit_expr_loop(visitor, repeat));
    }

    fn visit_expr_unsafe(&mut self, block: &'ast syn::ExprUnsafe) {
        self.metrics.unsafe_uses += 1;
        self.nested(|visitor| visit::visit_expr_unsafe(visitor, block));
    }

    fn visit_expr_try(&mut self, attempt: &'ast syn::ExprTry) {
        self.complexity += 1;
        visit::visit_expr_try(self, attempt);
    }

    fn visit_expr_binary(&mut self, binary: &'ast syn::ExprBinary) {
        self.complexity += u32::from(matches!(binary.op, syn::BinOp::And(_) | syn::BinOp::Or(_)));
        visit::visit_expr_binary(self, binary);
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        self.complexity += u32::from(local.init.as_ref().is_some_and(|init| init.diverge.is_some()));
        visit::visit_local(self, local);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        self.method_named(&call.method.to_string(), !call.args.is_empty());
        visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        if let Some(segment) = call.path.segments.last() {
            self.macro_named(&segment.ident.to_string());
        }
        self.tokens(&call.tokens, MACRO_DEPTH_MAX);
    }
}

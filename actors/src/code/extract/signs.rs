//! Words that are usual in each language.

use playhouse_protocol::code::Language;

/// What lines of a language often hold.
pub(super) struct Signs {
    /// Beginnings of lines.
    pub(super) starts: &'static [&'static str],
    /// Parts of lines.
    pub(super) inside: &'static [&'static str],
}

impl Signs {
    /// Those of a language.
    pub(super) const fn of(language: Language) -> Self {
        match language {
            Language::Rust => RUST,
            Language::Python => PYTHON,
            Language::TypeScript => TYPESCRIPT,
            Language::JavaScript => JAVASCRIPT,
            Language::Go => GO,
            Language::Java => JAVA,
            Language::C => C,
            Language::Cpp => CPP,
        }
    }
}

const RUST: Signs = Signs {
    starts: &[
        "fn ",
        "pub ",
        "impl",
        "let mut ",
        "use std::",
        "use super::",
        "#[",
        "mod ",
        "match ",
        "enum ",
        "struct ",
        "trait ",
        "async fn ",
    ],
    inside: &[
        "println!",
        "assert_eq!",
        "assert!",
        ".unwrap()",
        "&str",
        "&mut ",
        " -> ",
        "::new(",
        "Vec<",
        "vec![",
        "=> ",
    ],
};

const PYTHON: Signs = Signs {
    starts: &[
        "def ",
        "import ",
        "from ",
        "elif ",
        "except",
        "with ",
        "@pytest",
        "async def ",
        "assert ",
        "raise ",
        "try:",
        "else:",
    ],
    inside: &["self.", "print(", " None", "__name__", "\"\"\"", " not in ", " is not ", " True", " False"],
};

const TYPESCRIPT: Signs = Signs {
    starts: &[
        "function ",
        "export ",
        "interface ",
        "const ",
        "import ",
        "describe(",
        "it(",
        "type ",
        "readonly ",
    ],
    inside: &[": string", ": number", ": boolean", " => ", "console.log", "===", ": void", "expect("],
};

const JAVASCRIPT: Signs = Signs {
    starts: &[
        "function ",
        "export ",
        "const ",
        "import ",
        "describe(",
        "it(",
        "module.exports",
        "async function ",
    ],
    inside: &[" => ", "console.log", "===", "require(", "expect("],
};

const GO: Signs = Signs {
    starts: &["func ", "package ", "defer ", "go func", "type ", "import (", "var "],
    inside: &[" := ", "fmt.", "!= nil", "== nil", "[]int", "t.Error", "t.Fatal", "range "],
};

const JAVA: Signs = Signs {
    starts: &["public ", "private ", "protected ", "import java", "package ", "@Override", "@Test", "final "],
    inside: &["System.out", "String[]", "new ArrayList", "throw new ", "assertEquals(", " static "],
};

const C: Signs = Signs {
    starts: &["#include <std", "#include <", "#define ", "int main", "typedef ", "struct "],
    inside: &["printf(", "malloc(", "sizeof(", "NULL", "scanf(", "char *", "free("],
};

const CPP: Signs = Signs {
    starts: &["#include <", "using namespace", "template", "namespace ", "int main", "class "],
    inside: &["std::", "cout", "nullptr", "const auto", "auto ", "TEST("],
};

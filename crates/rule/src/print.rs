use std::fmt::{self, Display, Write as _};

use crate::{Argument, Call, Expr, ExprKind, Rule};

/// Prints the text as it was written.
impl Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.text())
    }
}

/// Prints the shortest usual form; parsing it gives an equal expression.
impl Display for Expr {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind() {
            ExprKind::And(operands) => chain(formatter, operands, " && "),
            ExprKind::Or(operands) => chain(formatter, operands, " || "),
            ExprKind::Not(operand) => {
                formatter.write_char('!')?;
                parenthesized_if(
                    formatter,
                    operand,
                    matches!(operand.kind(), ExprKind::And(_) | ExprKind::Or(_)),
                )
            }
            ExprKind::Call(call) => call.fmt(formatter),
        }
    }
}

fn chain(formatter: &mut fmt::Formatter<'_>, operands: &[Expr], operator: &str) -> fmt::Result {
    for (index, operand) in operands.iter().enumerate() {
        if index > 0 {
            formatter.write_str(operator)?;
        }
        // `&&` binds tighter than `||`, so only an `||` inside an `&&` needs parentheses.
        parenthesized_if(
            formatter,
            operand,
            matches!(operand.kind(), ExprKind::Or(_)),
        )?;
    }
    Ok(())
}

fn parenthesized_if(
    formatter: &mut fmt::Formatter<'_>,
    expr: &Expr,
    condition: bool,
) -> fmt::Result {
    if condition {
        write!(formatter, "({expr})")
    } else {
        expr.fmt(formatter)
    }
}

/// Prints the canonical name and the arguments.
impl Display for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}(", self.function())?;
        for (index, argument) in self.arguments().iter().enumerate() {
            if index > 0 {
                formatter.write_str(", ")?;
            }
            argument.fmt(formatter)?;
        }
        formatter.write_char(')')
    }
}

/// Prints the argument in back-quotes where they can hold it, else in double quotes with escapes.
impl Display for Argument {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = self
            .as_str()
            .filter(|text| !text.contains(['`', '\r', '\n', '\0', '\u{feff}']))
        {
            return write!(formatter, "`{text}`");
        }
        formatter.write_char('"')?;
        for chunk in self.as_bytes().utf8_chunks() {
            chunk
                .valid()
                .chars()
                .try_for_each(|character| quoted(formatter, character))?;
            chunk
                .invalid()
                .iter()
                .try_for_each(|byte| write!(formatter, "\\x{byte:02x}"))?;
        }
        formatter.write_char('"')
    }
}

fn quoted(formatter: &mut fmt::Formatter<'_>, character: char) -> fmt::Result {
    match character {
        '"' => formatter.write_str("\\\""),
        '\\' => formatter.write_str("\\\\"),
        '\n' => formatter.write_str("\\n"),
        '\r' => formatter.write_str("\\r"),
        '\t' => formatter.write_str("\\t"),
        '\0' => formatter.write_str("\\x00"),
        '\u{feff}' => formatter.write_str("\\ufeff"),
        other => formatter.write_char(other),
    }
}

//! Values as Rust that makes them: what `-o` and `-r` give to the notebook.

/// A string of its own.
pub(crate) fn text(text: &str) -> String {
    format!("::std::string::String::from({text:?})")
}

/// A number with a point, in nine digits: no figure has more, and a sum of tenths would have noise behind them.
pub(crate) fn float(value: f64) -> String {
    let short: f64 = format!("{value:.8e}").parse().unwrap_or(value);
    if value.is_finite() { format!("{short:?}_f64") } else { "::core::primitive::f64::NAN".to_owned() }
}

/// A value that may not be there.
pub(crate) fn option(value: Option<impl ToString>) -> String {
    match value {
        Some(value) => format!("::core::option::Option::Some({})", value.to_string()),
        None => "::core::option::Option::None".to_owned(),
    }
}

/// Values in a row.
pub(crate) fn list(values: impl IntoIterator<Item = String>) -> String {
    format!("::std::vec::Vec::from([{}])", values.into_iter().collect::<Vec<_>>().join(", "))
}

/// A structure of the runtime's, from its fields in any order.
pub(crate) fn structure(name: &str, fields: &[(&str, String)]) -> String {
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    format!("::assay::{name} {{ {} }}", fields.join(", "))
}

#[cfg(test)]
mod tests {
    use super::{float, list, option, structure, text};

    #[test]
    fn a_value_is_an_expression() {
        let fields = [
            ("name", text("a\"\n")),
            ("time", float(1e-6)),
            ("none", float(f64::NAN)),
            ("hits", option(Some(3))),
            ("all", list([1, 2].map(|number| number.to_string()))),
        ];
        let made = structure("It", &fields);
        assert_eq!(
            made,
            "::assay::It { name: ::std::string::String::from(\"a\\\"\\n\"), time: 1e-6_f64, none: ::core::primitive::f64::NAN, \
             hits: ::core::option::Option::Some(3), all: ::std::vec::Vec::from([1, 2]) }"
        );
        assert!(syn::parse_str::<syn::Expr>(&made).is_ok());
        assert!(syn::parse_str::<syn::Expr>(&float(-0.0)).is_ok());
        assert_eq!(float(350.0 * 1e-3), "0.35_f64");
    }
}

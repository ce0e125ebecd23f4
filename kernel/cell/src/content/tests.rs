//! What each kind of content becomes.

use super::{Bundle, Html, Jpeg, Json, Latex, Markdown, Png, Show, Svg, Text};

/// The types and contents, `mime=content`.
fn words(shown: &dyn Show) -> String {
    let bundle = shown.mime_bundle();
    let words: Vec<_> = bundle.contents().iter().map(|(mime, content)| format!("{mime}={content}")).collect();
    words.join(" ")
}

#[test]
fn ready_content_is_shown_as_what_it_is() {
    let check = |shown: &dyn Show, expected: &str| assert_eq!(words(shown), expected);
    check(&Text("a"), "text/plain=a");
    check(&Html("<b>".to_owned()), "text/html=<b>");
    check(&Markdown("*a*"), "text/markdown=*a* text/plain=*a*");
    check(&Latex("$x$"), "text/latex=$x$ text/plain=$x$");
    check(&Json("[1]"), "application/json=[1] text/plain=[1]");
    check(&Svg("<svg/>"), "image/svg+xml=<svg/>");
    check(&Png(b"foo"), "image/png=Zm9v");
    check(&Jpeg(vec![b'f']), "image/jpeg=Zg==");
    check(&&Box::new(Text("a")), "text/plain=a");
}

#[test]
fn a_type_that_comes_again_replaces_the_first() {
    let bundle = Bundle::new().text("a").html("b").text("c");
    assert_eq!(words(&bundle), "text/plain=c text/html=b");
}

#[test]
fn sizes_are_said_of_images_alone() {
    let pair = |key: &str, json: &str| (key.to_owned(), json.to_owned());
    assert_eq!(Bundle::new().text("a").width(7).all_metadata(), []);
    let image = Png(b"foo").width(300);
    assert_eq!(image.all_metadata(), [pair("image/png", "{\"width\":300}")]);
    let both = Svg("<svg/>").height(2).width(1).png(b"f").text("p").metadata("assay", "{\"n\":1}");
    let size = "{\"width\":1,\"height\":2}";
    let expected = [pair("image/svg+xml", size), pair("image/png", size), pair("assay", "{\"n\":1}")];
    assert_eq!(both.all_metadata(), expected);
    assert_eq!(image.metadata("image/png", "{}").all_metadata(), [pair("image/png", "{}")]);
}

#[test]
fn a_terminal_shows_what_a_person_can_read() {
    let check = |bundle: Bundle, expected: &str| assert_eq!(bundle.plain(), expected);
    check(Bundle::new().html("h").text("t"), "t");
    check(Bundle::new().html("h").markdown("m"), "m");
    check(Bundle::new().html("h").png(b"x"), "<text/html, image/png>");
    check(Bundle::new(), "<>");
}

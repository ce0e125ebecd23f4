//! The graph as html: boxes placed by inline styles, each with its title for the mouse.

use super::{Kind, LEVEL, Placed, Plan, percent};
use crate::render::chart::theme::Colour;
use crate::render::escape;
use std::fmt::Write;

/// Boxes below this share have no room for a letter.
const ROOM: f64 = 0.02;
/// From this share on there is room for the share beside the name.
const ROOM_FOR_SHARE: f64 = 0.12;
/// What is said in passing: the same grey as on the pages of results.
const GREY: &str = "#767676";

/// Without its styles, where a site takes them off, it is still a list of the frames in order.
pub(super) fn html(plan: &Plan) -> String {
    let mut html = format!(
        "<div style=\"font-family: sans-serif; font-size: 12px; line-height: {}px; max-width: 1100px\">\n",
        LEVEL - 1.0
    );
    let title = escape(&plan.flame.title);
    let _ = writeln!(
        html,
        "<div style=\"font-size: 13px; margin-bottom: 6px\"><strong>{title}</strong> \
         <span style=\"color: {GREY}\">{}</span></div>",
        escape(&plan.summary())
    );
    let height = LEVEL * plan.levels as f64;
    let _ = writeln!(
        html,
        "<div style=\"position: relative; height: {height}px; overflow: hidden; white-space: nowrap\">"
    );
    plan.boxes.iter().for_each(|placed| a_box(&mut html, plan, placed));
    html.push_str("</div>\n");
    legend(&mut html, plan);
    html.push_str("</div>");
    html
}

fn a_box(html: &mut String, plan: &Plan, placed: &Placed) {
    let Placed { frame, level, left, width } = placed;
    let label = frame.label();
    let own = frame.own();
    let mut said = vec![label.clone()];
    said.extend(Some(&frame.place).filter(|place| !place.is_empty()).cloned());
    said.extend(frame.inlined.then(|| "compiled into its caller".to_owned()));
    said.extend((frame.depth > 1).then(|| format!("up to {} calls within each other", frame.depth)));
    said.push(format!("{} ({} {})", percent(*width), crate::units::count(frame.weight), plan.flame.unit));
    said.extend((own > 0 && own < frame.weight).then(|| format!("{} its own", percent(plan.share(own)))));
    let (text, padding) = if *width < ROOM {
        (String::new(), "")
    } else if *width < ROOM_FOR_SHARE {
        (label, "padding-left: 4px; ")
    } else {
        (format!("{label} · {}", percent(*width)), "padding-left: 4px; ")
    };
    // A dark edge tells neighbours apart on any page.
    let _ = writeln!(
        html,
        "<div title=\"{}\" style=\"position: absolute; left: {}%; top: {}px; width: {}%; height: {}px; box-sizing: border-box; \
         {padding}overflow: hidden; text-overflow: ellipsis; border-right: 1px solid {}; border-radius: 2px; background-color: {}; color: {}\">{}</div>",
        escape(&said.join(" · ")),
        short(100.0 * left),
        LEVEL * *level as f64,
        short(100.0 * width),
        LEVEL - 1.0,
        hex(darker(frame.kind.colour())),
        hex(frame.kind.colour()),
        hex(frame.kind.ink()),
        escape(&text),
    );
}

fn legend(html: &mut String, plan: &Plan) {
    let _ = write!(html, "<div style=\"margin-top: 6px; color: {GREY}\">");
    for kind in plan.kinds() {
        let _ = write!(
            html,
            "<span style=\"background-color: {}; color: {}; padding: 2px 7px; margin-right: 6px; border-radius: 2px; white-space: nowrap\">{}</span> ",
            hex(kind.colour()),
            hex(kind.ink()),
            kind.legend()
        );
    }
    let notes = plan.notes().join("; ");
    let _ = writeln!(html, "{}</div>", escape(&notes));
}

/// Three decimals of a percent are a hundredth of a pixel.
fn short(value: f64) -> String {
    crate::units::without_zeros(&format!("{value:.3}")).to_owned()
}

fn darker((red, green, blue): Colour) -> Colour {
    let dark = |channel: u8| (f64::from(channel) * 0.62) as u8;
    (dark(red), dark(green), dark(blue))
}

fn hex((red, green, blue): Colour) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

impl Kind {
    /// Its colours as html has them: of the box, and of the text on it.
    #[cfg(test)]
    pub(super) fn colours(self) -> (Colour, Colour) {
        (self.colour(), self.ink())
    }
}

//! The story of one cell: read as a whole, then run piece by piece, in order; told as it goes, kept when it is over.

use super::Session;
use super::event::{ErrorReport, Event, FrontEnd, StreamName};
use super::failure;
use super::interrupt::Stopped;
use super::measure::{explain_move, help};
use super::perform::{Context, Fault};
use super::reply::ExecuteReply;
use super::request::ExecuteRequest;
use super::stage::{Keep, Muted};
use crate::engine::{Cell, Diagnostic, Failure, Ran};
use assay_magics::cell::{Code, Prepared, Step, blank_but, steps};
use assay_magics::invocation::Sigil;
use assay_magics::magic::{NextInput, Report};
use assay_magics::plan::Plan;
use assay_magics::render::Bundle;
use assay_magics::table;
use std::ops::Range;
use std::sync::Arc;

/// What a cell, or a captured piece of one, leaves for its reply.
#[derive(Debug, Default)]
pub(crate) struct Piece {
    value: Option<Bundle>,
    paged: Vec<Bundle>,
    next_input: Option<NextInput>,
}

impl Session {
    /// Runs a cell. Everything that it shows has been told when this returns.
    pub(crate) async fn execute(&self, request: ExecuteRequest, front: Arc<dyn FrontEnd>) -> ExecuteReply {
        let stopped = self.stop.watch();
        let front: Arc<dyn FrontEnd> = if request.silent { Arc::new(Muted(front)) } else { front };
        self.stage.enter(Arc::clone(&front));
        let (count, number) = self.begin(&request);
        self.stage.tell(Event::Input { code: request.code.clone(), count });
        let context = Context { number, count, on_page: request.on_page };
        for note in self.engine().begin(number).await {
            self.stage.tell(Event::Stream { name: StreamName::Stderr, text: format!("note: {note}\n") });
        }
        self.start_up(&context, &stopped).await;
        let ran = self.run_piece(0..request.code.len(), &context, &stopped).await;
        self.stage.end();
        if let Err(report) = &ran {
            self.stage.tell(Event::Error(report.clone()));
        }
        let value = ran.as_ref().ok().and_then(|piece| piece.value.as_ref());
        self.keep(&request, count, value.map(|bundle| bundle.plain().to_owned())).await;
        match ran {
            Ok(piece) => {
                let user_expressions = self.evaluate_all(&request.user_expressions, &stopped).await;
                let Piece { paged, next_input, .. } = piece;
                ExecuteReply { count, error: None, user_expressions, paged, next_input }
            }
            Err(report) => ExecuteReply { count, error: Some(report), ..ExecuteReply::default() },
        }
    }

    /// Counts the cell, if it counts, and remembers its text. Gives its count and the number that errors name.
    pub(super) fn begin(&self, request: &ExecuteRequest) -> (u32, u32) {
        let mut state = self.state();
        let number = state.count + 1;
        if request.store_history {
            state.count = number;
        }
        state.sources.remember(number, &request.code);
        (state.count, number)
    }

    async fn keep(&self, request: &ExecuteRequest, count: u32, value: Option<String>) {
        if request.store_history && self.state().settings.history {
            let code = request.code.clone();
            self.with_history(move |history| history.store(count, &code, value.as_deref())).await;
        }
    }

    /// Runs a range of the cell's text: all of its magics are read and planned before anything runs.
    pub(crate) async fn run_piece(
        &self,
        piece: Range<usize>,
        context: &Context,
        stopped: &Stopped,
    ) -> Result<Piece, ErrorReport> {
        // Blank outside the piece, so that every position is one of the whole cell.
        let text = blank_but(self.state().sources.text(context.number), &piece);
        let steps = steps(&text).map_err(|complaint| {
            let state = self.state();
            failure::of_usage(&complaint, context.number, &state.sources, state.pen())
        })?;
        let mut done = Piece::default();
        let last = steps.len();
        let mut steps = (1..).zip(steps).peekable();
        while let Some((position, step)) = steps.next() {
            if stopped.yet() {
                return Err(self.word(Fault::Engine(Failure::stopped()), context.number, 0..0));
            }
            match step {
                Step::Rust(code) => {
                    let behind = steps.peek().and_then(|(_, next)| next.magic());
                    let value = self.run_rust(&text, code, behind, context, stopped).await?;
                    self.tell_value(value, position == last, context, &mut done);
                }
                Step::Magic(prepared) => match &prepared.plan {
                    Plan::Code(step) => {
                        let step = step.clone();
                        self.measure_builds(&text, step, *prepared, context, stopped).await?;
                    }
                    Plan::Profile(step) => {
                        let step = step.clone();
                        let value = self.profile(&text, *step, *prepared, context, stopped).await?;
                        self.tell_value(value, position == last, context, &mut done);
                    }
                    _ => self.run_magic(*prepared, context, stopped, &mut done).await?,
                },
                Step::Help(bundle) => done.paged.push(bundle),
                Step::Inspect { path, .. } => done.paged.push(self.look_up(&text, path, context).await?),
            }
        }
        Ok(done)
    }

    /// Runs Rust where it stands in the cell: all around it is blank, so that every position is the user's. `behind` is the magic that follows, if one does.
    async fn run_rust(
        &self,
        text: &str,
        code: Code,
        behind: Option<&str>,
        context: &Context,
        stopped: &Stopped,
    ) -> Result<Option<Bundle>, ErrorReport> {
        let (range, rust) = (code.span(), code.text(text));
        let measures = !code.magics.is_empty();
        let cell = Cell { inserts: code.inserts, ..Cell::new(context.number, rust.trim_end()) };
        let ran = match measures {
            false => self.stoppable(self.engine().run(cell, self.host()), stopped).await,
            true => self.measure(cell, code.magics, context, stopped).await?,
        };
        let ran = ran.map_err(|mut failure| {
            explain_unread_magic(&mut failure, &rust);
            if measures {
                explain_move(&mut failure);
            }
            if let Some(magic) = behind {
                explain_early_compile(&mut failure, magic);
            }
            self.word(Fault::Engine(failure), context.number, range)
        })?;
        self.tell_remarks(&ran);
        Ok(ran.value)
    }

    /// Warnings and notes, on the stream where a terminal would show them.
    pub(super) fn tell_remarks(&self, ran: &Ran) {
        let state = self.state();
        let warnings = ran.warnings.iter().map(|warning| state.pen().diagnostic(warning, &state.sources));
        let remarks: Vec<String> =
            warnings.chain(ran.notes.iter().map(|note| format!("note: {note}"))).collect();
        drop(state);
        for remark in remarks {
            self.stage.tell(Event::Stream { name: StreamName::Stderr, text: remark + "\n" });
        }
    }

    /// The value of the last piece is the cell's; one that stands before a magic is shown where it stands.
    fn tell_value(&self, value: Option<Bundle>, is_last: bool, context: &Context, done: &mut Piece) {
        let Some(bundle) = value else { return };
        if is_last {
            self.stage.tell(Event::Value { bundle: bundle.clone(), count: context.count });
            done.value = Some(bundle);
        } else {
            self.stage.tell(Event::Display { bundle, display_id: None });
        }
    }

    /// What the engine knows of a path that was asked about (`?Vec::push`).
    async fn look_up(
        &self,
        text: &str,
        path: Range<usize>,
        context: &Context,
    ) -> Result<Bundle, ErrorReport> {
        let source = text[path.clone()].to_owned();
        let cursor = source.len();
        let found = self.engine().inspect(source, cursor).await;
        let found = found.map_err(|trouble| self.word(trouble.into(), context.number, path.clone()))?;
        found.found.ok_or_else(|| {
            let message = format!("nothing is known about `{}`", &text[path.clone()]);
            self.word(Fault::Refused { message, hint: None }, context.number, path)
        })
    }

    async fn run_magic(
        &self,
        prepared: Prepared,
        context: &Context,
        stopped: &Stopped,
        done: &mut Piece,
    ) -> Result<(), ErrorReport> {
        let Prepared { magic, call, plan } = prepared;
        let outcome = self.perform(plan, context, stopped).await;
        let outcome = outcome.map_err(|fault| self.word(fault, context.number, call.name_span.clone()))?;
        let report = magic.report(&call, outcome).map_err(|complaint| {
            let state = self.state();
            failure::of_magic(&complaint, context.number, &state.sources, state.pen())
        })?;
        self.show(report, done);
        Ok(())
    }

    fn show(&self, report: Report, done: &mut Piece) {
        if let Some(bundle) = report.shown {
            self.stage.tell(Event::Display { bundle, display_id: None });
        }
        done.paged.extend(report.paged);
        if report.next_input.is_some() {
            done.next_input = report.next_input;
        }
    }

    /// A value or an error for each key; one that fails does not touch the others.
    async fn evaluate_all(
        &self,
        expressions: &[(String, String)],
        stopped: &Stopped,
    ) -> Vec<(String, Result<Bundle, ErrorReport>)> {
        let mut answers = Vec::new();
        for (key, expression) in expressions {
            answers.push((key.clone(), self.evaluate(expression, stopped).await));
        }
        answers
    }

    async fn evaluate(&self, expression: &str, stopped: &Stopped) -> Result<Bundle, ErrorReport> {
        let report = |failure| self.word(Fault::Engine(failure), 0, 0..0);
        if stopped.yet() {
            return Err(report(Failure::stopped()));
        }
        self.state().sources.remember(0, expression);
        self.stage.start_capture(Keep::EVERYTHING);
        let cell = Cell::new(0, expression);
        let ran = self.stoppable(self.engine().run(cell, self.host()), stopped).await;
        self.stage.end_capture();
        ran.map(|ran| ran.value.unwrap_or_else(|| Bundle::text("()"))).map_err(report)
    }
}

/// What stands above a magic that is no code of its cell is a cell of its own for the compiler.
fn explain_early_compile(failure: &mut Failure, magic: &str) {
    let Failure::Compile(diagnostics) = failure else { return };
    let unknown =
        |one: &&mut Diagnostic| one.code.as_deref().is_some_and(|code| ["E0282", "E0283"].contains(&code));
    if let Some(first) = diagnostics.iter_mut().find(unknown) {
        let message = format!(
            "what stands above `%{magic}` is compiled before the rest of the cell: write the type down"
        );
        first.children.push(help(message));
    }
}

/// A magic below an expression without its `;` is arithmetic to Rust (`x` newline `%who`), and rustc cannot know what was meant.
fn explain_unread_magic(failure: &mut Failure, rust: &str) {
    let name = |line: &str| -> Option<String> {
        let name =
            line.trim_start().strip_prefix('%')?.split(|c: char| !c.is_alphanumeric() && c != '_').next()?;
        table::find(Sigil::Line, name).map(|_| name.to_owned())
    };
    if let Failure::Compile(diagnostics) = failure
        && let Some(first) = diagnostics.first_mut()
        && let Some(name) = rust.lines().find_map(name)
    {
        let message =
            format!("`%{name}` is a magic only where a statement can begin: end the line above it with `;`");
        first.children.push(help(message));
    }
}

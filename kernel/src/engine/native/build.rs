//! From a cell's text to a library that can be run: the stages of the compiler, one after the other.

use super::adjust::{self, Adjustment};
use super::awaits::awaits;
use super::counts::{self, Counting};
use super::dependencies::Linked;
use super::diagnose::{Files, explain, leave_out_repeated, note};
use super::entry::{Entry, Places, Style, Taken};
use super::generate::{self, Crate, Loaded, STATEMENTS};
use super::idle::idle;
use super::inserts::{within_items, wrong};
use super::notebook::{Gone, Notebook, Variable};
use super::place::{Placed, place};
use super::prelude::{Prelude, bound, prelude};
use super::rustc::{self, Compiled, Message, Order};
use super::source::{Edit, Source};
use super::split::{Kind, Part, Split, Statement, split};
use super::toolchain::Toolchain;
use super::types::{self, Closures, Found};
use super::units::{Unit, UnitId};
use crate::engine::{Cell, Diagnostic, Failure, Level, Trouble};
use assay_magics::plan::Insert;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// More tries than a cell could need: one for the types, one for what was moved, one for what borrows, and each again.
const TRIES: usize = 8;

/// Where a notebook's crates are made.
#[derive(Debug)]
pub(super) struct Workshop {
    pub(super) toolchain: Toolchain,
    /// The crates that were added.
    pub(super) linked: Arc<Linked>,
    /// How values are shown.
    pub(super) style: Style,
    /// The folder in which rustc runs; file names are relative to it.
    pub(super) folder: PathBuf,
    /// How many crates have been made: no two libraries have one name, since none is ever closed.
    pub(super) made: u64,
    /// While code is built that counts.
    pub(super) counting: Option<Counting>,
}

/// A cell that has compiled.
#[derive(Debug)]
pub(super) struct Program {
    /// The notebook as it is with this cell, variables not yet changed.
    pub(super) notebook: Notebook,
    /// The libraries to open, in order; the entry is in the last one.
    pub(super) libraries: Vec<PathBuf>,
    /// The symbol to call.
    pub(super) entry: Option<String>,
    /// The variables that the entry takes.
    pub(super) taken: Vec<String>,
    /// What each slot becomes when it is put: a name and a variable.
    pub(super) slots: BTreeMap<u32, (String, Variable)>,
    /// What becomes of the names that are not put.
    pub(super) gone: BTreeMap<String, Gone>,
    pub(super) warnings: Vec<Diagnostic>,
    pub(super) notes: Vec<String>,
}

/// Compiles a cell. The notebook is as it was unless the program takes its place.
pub(super) async fn build(
    workshop: &mut Workshop,
    notebook: &Notebook,
    cell: &Cell,
) -> Result<Program, Failure> {
    let mut inserts = cell.inserts.clone();
    loop {
        match build_with(workshop, notebook, cell, &inserts).await {
            Ok(program) => return Ok(program),
            Err(Unbuilt::Failure(failure)) => return Err(failure),
            Err(Unbuilt::LeaveOut(number)) => match inserts.get_mut(number) {
                // Its place stays, so that the others keep their numbers.
                Some(Insert { text, .. }) if !text.is_empty() => text.clear(),
                _ => return Err(Failure::Trouble(undecided())),
            },
        }
    }
}

/// Why there is no program.
enum Unbuilt {
    Failure(Failure),
    /// Text of ours that may be left out is wrong here: the insert of this number.
    LeaveOut(usize),
}

impl From<Failure> for Unbuilt {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

async fn build_with(
    workshop: &mut Workshop,
    before: &Notebook,
    cell: &Cell,
    inserts: &[Insert],
) -> Result<Program, Unbuilt> {
    let text = Arc::new(Source::of_cell(cell.number, &cell.source, inserts));
    let split =
        split(text.text(), &|name| before.stands_for_items(name)).unwrap_or_else(|| whole(text.text()));
    let mut notebook = before.clone();
    notebook.texts.insert(cell.number, Arc::from(cell.source.as_str()));
    within_items(cell.number, &text, &split)?;
    let placed = place(&mut notebook, cell.number, &text, &split);
    let guards = workshop.counting.as_mut().map(|counting| counting.guard(&mut notebook, &text, &split));
    let notes = notebook.left_behind(before);
    let builder = Builder {
        workshop,
        notebook,
        cell,
        text: &text,
        split: &split,
        guards: guards.unwrap_or_default(),
        warnings: Vec::new(),
        notes,
    };
    builder.build(&placed).await
}

fn undecided() -> Trouble {
    let what = "the cell's variables cannot be kept apart: the compiler was asked too often".to_owned();
    let remedy = Some("please report the cell; until then, split it in two".to_owned());
    Trouble { what, remedy }
}

/// What we cannot take apart is one statement, which rustc explains.
fn whole(text: &str) -> Split {
    let words = text.split(|c: char| c != '_' && !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let statement =
        Statement { range: 0..text.len(), kind: Kind::Run, mentions: words.map(str::to_owned).collect() };
    Split { inner: Vec::new(), parts: vec![Part::Statement(statement)] }
}

struct Builder<'a> {
    workshop: &'a mut Workshop,
    notebook: Notebook,
    cell: &'a Cell,
    /// Its text, with what is inserted.
    text: &'a Arc<Source>,
    split: &'a Split,
    /// What its statements count with.
    guards: Vec<Edit>,
    warnings: Vec<Diagnostic>,
    notes: Vec<String>,
}

/// A crate that was compiled.
struct Made {
    name: String,
    compiled: Compiled,
    library: PathBuf,
    mir: PathBuf,
    files: BTreeMap<PathBuf, Arc<Source>>,
    /// The file of the statements.
    statements: PathBuf,
    needs: BTreeSet<UnitId>,
}

impl Made {
    /// The MIR, if it was asked for.
    fn mir(&self) -> Result<Option<String>, Failure> {
        match std::fs::read_to_string(&self.mir) {
            Ok(mir) => Ok(Some(mir)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::Trouble(unwritable(&self.mir, &error))),
        }
    }
}

impl Builder<'_> {
    async fn build(mut self, placed: &Placed) -> Result<Program, Unbuilt> {
        let has_statements = self.split.statements().next().is_some();
        for unit in &placed.changed {
            self.change(*unit).await?;
        }
        if !has_statements {
            self.refresh(&placed.own.into_iter().collect()).await?;
            return Ok(self.finished(Vec::new(), None, BTreeMap::new()));
        }
        self.program(placed).await
    }

    /// Builds a unit that the cell has changed. What other cells put into it and does not fit any more is taken out of it: those cells can be run again,
    /// which they could not if this one had to wait for them.
    async fn change(&mut self, unit: UnitId) -> Result<(), Failure> {
        loop {
            let failure = match self.refresh(&BTreeSet::from([unit])).await {
                Err(Failure::Compile(errors)) => errors,
                other => return other,
            };
            let cells = failing(&failure);
            let of_others = !cells.is_empty() && !cells.contains(&self.cell.number);
            if !of_others || !self.notebook.take_out(unit, &cells) {
                return Err(Failure::Compile(failure));
            }
            for error in failure.iter().filter(|one| one.level == Level::Error) {
                let place = failing(std::slice::from_ref(error)).first().copied().unwrap_or_default();
                self.notes.push(format!(
                    "what cell[{place}] added to this does not fit any more, and is gone until it is run again: {}",
                    error.message
                ));
            }
        }
    }

    /// Builds what is stale of these units and all that they need.
    async fn refresh(&mut self, units: &BTreeSet<UnitId>) -> Result<(), Failure> {
        let order = self.notebook.units.reached(units);
        for id in self.notebook.units.stale(&order) {
            let Some(unit) = self.notebook.units.get(id) else { continue };
            // What a function returns as `impl Fn` is a closure, whose signature is only in the MIR.
            let closures = unit
                .parts
                .iter()
                .any(|part| part.text.text().contains("impl") && part.text.text().contains("Fn"));
            let (made, _) = generate::unit(unit, None, &self.loaded(&BTreeSet::from([id])));
            let made = self.make(&made, closures).await?;
            self.judge(&made)?;
            self.learn_closures(&made)?;
            self.built(id, &made);
            self.notebook.files.extend(made.files);
        }
        Ok(())
    }

    /// Notes that a unit has been built.
    fn built(&mut self, id: UnitId, made: &Made) {
        let preludes = self.notebook.units.get(id).into_iter().flat_map(|unit| &unit.parts);
        let idle = idle(&made.compiled.messages, &made.files, preludes.map(|part| part.prelude.as_str()));
        self.notebook.units.built(id, made.library.clone(), &made.needs, idle);
    }

    /// Compiles the statements, together with the items of a unit that the cell makes.
    async fn program(mut self, placed: &Placed) -> Result<Program, Unbuilt> {
        let before = self.notebook.variables.clone();
        let mentions = self.split.mentions().cloned().collect();
        let (prelude, taken) = self.surroundings(placed.own, &before, mentions);
        let mut entry = self.entry(taken);
        let mut adjustment = Adjustment::default();
        for _ in 0..TRIES {
            let (made, places) =
                self.compile(placed.own, &entry, &prelude, !entry.unknown().is_empty()).await?;
            if made.compiled.ok {
                let found = self.types(&made)?;
                if !adjustment.read(&found, &entry) {
                    return Ok(self.accepted(made, placed.own, entry, &adjustment, &found)?);
                }
            } else if let Some(number) = wrong(&made.compiled.messages, &made.files) {
                return Err(Unbuilt::LeaveOut(number));
            } else if !adjustment.learn(&made.compiled.messages, &made.statements, &places, &entry) {
                let made = self.second_opinion(placed.own, &before, made, entry.awaits).await?;
                self.judge(&made)?;
            }
            entry.puts.clone_from(&adjustment.puts);
            entry.inside.clone_from(&adjustment.inside);
            entry.awaits |= adjustment.awaits;
            entry.endless |= adjustment.endless;
        }
        Err(Failure::Trouble(undecided()).into())
    }

    fn entry<'e>(&self, taken: Vec<Taken<'e>>) -> Entry<'e>
    where
        Self: 'e,
    {
        Entry {
            cell: self.cell.number,
            text: self.text,
            split: self.split,
            symbol: format!("assay_entry_{}", self.workshop.made),
            taken,
            puts: BTreeMap::new(),
            inside: BTreeSet::new(),
            awaits: awaits(self.text.text(), self.split),
            start: self.start(),
            style: self.workshop.style,
            endless: false,
            guards: self.guards.clone(),
        }
    }

    /// What stands before everything in the entry.
    fn start(&self) -> String {
        let runtime = self.workshop.linked.runtime().unwrap_or_default();
        let counting = self.workshop.counting.as_ref().map(Counting::start);
        runtime + &counting.unwrap_or_default()
    }

    async fn compile(
        &mut self,
        own: Option<UnitId>,
        entry: &Entry<'_>,
        prelude: &Prelude,
        with_mir: bool,
    ) -> Result<(Made, Places), Failure> {
        let mut needs = prelude.needs.clone();
        needs.extend(own.iter().flat_map(|own| self.notebook.units.needs(*own)));
        self.refresh(&needs).await?;
        let (made, places) = self.generate(own, entry, prelude);
        Ok((self.make(&made, with_mir).await?, places))
    }

    /// A cell sees what it mentions. So where a name is missing, the compiler is asked again with everything in sight: it knows then which name
    /// is like it, and which trait has to be imported.
    async fn second_opinion(
        &mut self,
        own: Option<UnitId>,
        variables: &BTreeMap<String, Variable>,
        first: Made,
        awaits: bool,
    ) -> Result<Made, Failure> {
        if !first.compiled.messages.iter().any(missing_name) {
            return Ok(first);
        }
        let everything = variables.keys().chain(self.notebook.definitions.keys()).cloned();
        let mentions = everything.chain(self.split.mentions().cloned()).collect();
        let (prelude, taken) = self.surroundings(own, variables, mentions);
        let entry = Entry { awaits, ..self.entry(taken) };
        let Ok((mut second, places)) = self.compile(own, &entry, &prelude, false).await else {
            return Ok(first);
        };
        // Variables that are only looked at here cannot be what is wrong.
        let file = second.statements.clone();
        second.compiled.messages.retain(|message| !adjust::is_of_a_put(message, &file, &places));
        let says_so = second.compiled.messages.iter().any(missing_name);
        Ok(if says_so { second } else { first })
    }

    /// What statements with these mentions see: names and variables.
    fn surroundings<'v>(
        &self,
        own: Option<UnitId>,
        variables: &'v BTreeMap<String, Variable>,
        mut mentions: BTreeSet<String>,
    ) -> (Prelude, Vec<Taken<'v>>) {
        mentions.extend(self.macro_mentions(&mentions));
        let taken: Vec<Taken<'v>> = variables
            .iter()
            .filter(|(name, _)| mentions.contains(*name))
            .map(|(name, variable)| Taken { name, type_name: &variable.type_name, mutable: variable.mutable })
            .collect();
        let bound = if own.is_some() { bound(self.split.items()) } else { BTreeSet::new() };
        let mut prelude = prelude(&self.notebook, &mentions, &bound, own);
        for taken in &taken {
            let crates = taken.type_name.split(|c: char| c != '_' && !c.is_alphanumeric());
            prelude.needs.extend(crates.filter_map(|name| self.notebook.units.named(name)));
        }
        (prelude, taken)
    }

    /// What the bodies of the macros mention that are mentioned: a `macro_rules!` of the cell may name a variable.
    fn macro_mentions(&self, mentions: &BTreeSet<String>) -> BTreeSet<String> {
        let items = self.split.items().filter(|item| match &item.what {
            super::split::What::Macro { name, .. } => mentions.contains(name),
            _ => false,
        });
        items.flat_map(|item| item.mentions.iter().cloned()).collect()
    }

    fn generate(&self, own: Option<UnitId>, entry: &Entry<'_>, prelude: &Prelude) -> (Crate, Places) {
        let loaded = self.loaded(&prelude.needs.iter().copied().chain(own).collect());
        match own.and_then(|own| self.notebook.units.get(own)) {
            Some(unit) => generate::unit(unit, Some((entry, prelude)), &loaded),
            None => {
                let name = format!("run_{}", self.workshop.made);
                generate::program(name, entry, &self.split.inner, prelude, &loaded)
            }
        }
    }

    /// What crates load that see these units: what their types may be called, and those of the units that they are built on; and the notebook's crates.
    fn loaded(&self, units: &BTreeSet<UnitId>) -> Loaded {
        let reached = self.notebook.units.reached(units);
        let reached = reached.into_iter().filter_map(|id| self.notebook.units.get(id));
        let names = reached.flat_map(Unit::names).chain(self.workshop.linked.aliases()).cloned().collect();
        let mut crates = self.workshop.linked.declarations();
        if self.workshop.counting.is_some() {
            crates.push_str(&format!("extern crate {} as _;\n", counts::CRATE));
        }
        Loaded { names, crates }
    }

    /// Writes a crate's files and compiles it.
    async fn make(&mut self, made: &Crate, with_mir: bool) -> Result<Made, Failure> {
        let counting = self.workshop.counting.as_ref().map(|counting| &counting.library);
        // Nobody keeps the variables of a cell that counts.
        let with_mir = with_mir && counting.is_none();
        let counters = counting.map(|library| (counts::CRATE.to_owned(), library.clone()));
        let folder = format!("{}-{}", made.name, self.workshop.made);
        self.workshop.made += 1;
        let written = write(&self.workshop.folder, &folder, made)
            .map_err(|error| Failure::Trouble(unwritable(&self.workshop.folder, &error)))?;
        let library = self.workshop.folder.join(&folder).join(format!("lib{folder}.so"));
        let mir = self.workshop.folder.join(&folder).join("crate.mir");
        let on = made.needs.iter().filter_map(|id| self.notebook.units.library(*id).cloned()).collect();
        let on = self.notebook.units.libraries(&on);
        let own = self.workshop.toolchain.externs().map(|(_, library)| library);
        let unit = |id: &UnitId| {
            Some((
                self.notebook.units.get(*id)?.crate_name.clone(),
                self.notebook.units.library(*id)?.clone(),
            ))
        };
        let linked = &self.workshop.linked;
        let order = Order {
            root: Path::new(&folder).join(made.files.first().map_or("", |file| &file.name)),
            crate_name: made.name.clone(),
            identity: made.identity.clone(),
            library: library.clone(),
            externs: made
                .needs
                .iter()
                .filter_map(unit)
                .chain(self.workshop.toolchain.externs())
                .chain(linked.externs())
                .chain(counters.clone())
                .collect(),
            search: on
                .iter()
                .chain(&own)
                .chain(counting)
                .filter_map(|library| library.parent().map(Path::to_owned))
                .chain(linked.search())
                .collect(),
            linked: self.notebook.units.homes(&made.name, &made.needs),
            mir: with_mir.then(|| mir.clone()),
            renames: made
                .files
                .iter()
                .map(|file| (format!("{folder}/{}", file.name), file.shown.clone()))
                .collect(),
            extra: linked
                .natives()
                .iter()
                .map(|folder| rustc::joined("-Lnative=", folder))
                .chain(counters.iter().flat_map(|_| counts::flags()))
                .collect(),
        };
        let compiled = rustc::compile(&self.workshop.toolchain, &self.workshop.folder, &order)
            .await
            .map_err(Failure::Trouble)?;
        Ok(Made {
            name: made.name.clone(),
            compiled,
            library,
            mir,
            files: written,
            statements: Path::new(&folder).join(STATEMENTS),
            needs: made.needs.clone(),
        })
    }

    /// The compiler's errors, if it has any; its warnings are kept.
    fn judge(&mut self, made: &Made) -> Result<(), Failure> {
        let files = Files { fresh: &made.files, earlier: &self.notebook.files, cell: self.cell.number };
        let mut all: Vec<Diagnostic> =
            made.compiled.messages.iter().filter_map(|message| files.diagnostic(message)).collect();
        leave_out_repeated(&mut all);
        explain(&mut all, &self.notebook);
        elsewhere(&mut all, self.cell.number);
        if made.compiled.ok {
            // A unit that is built again has said its warnings before.
            all.retain(|one| one.spans.iter().any(|span| span.primary && span.cell == self.cell.number));
            self.warnings
                .extend(all.into_iter().filter(|one| !self.warnings.contains(one)).collect::<Vec<_>>());
            return Ok(());
        }
        all.sort_by_key(|one| one.level != Level::Error);
        if all.iter().all(|one| one.level != Level::Error) {
            all.insert(0, unexplained(&made.compiled));
        }
        Err(Failure::Compile(all))
    }

    fn types(&self, made: &Made) -> Result<BTreeMap<u32, Found>, Failure> {
        let Some(mir) = made.mir()? else { return Ok(BTreeMap::new()) };
        let mut found = types::read(&mir, &made.name, &self.externs(made), &self.notebook.closures);
        for found in found.values_mut() {
            // A type that is defined among statements is nobody else's.
            if let Found::Named(name) = found
                && name.contains("assay_statements::")
            {
                *found = Found::Nameless(name.clone());
            }
        }
        Ok(found)
    }

    /// Remembers the closures of a crate that later cells may get from its functions.
    fn learn_closures(&mut self, made: &Made) -> Result<(), Failure> {
        if let Some(mir) = made.mir()? {
            self.notebook.closures.extend(Closures::of(&mir, &made.name, &self.externs(made)));
        }
        Ok(())
    }

    /// The crates that paths may begin with.
    fn externs(&self, made: &Made) -> BTreeSet<String> {
        let mut all = self.notebook.units.crate_names();
        all.remove(&made.name);
        // What a cell can call has types of its own.
        all.insert("assay".to_owned());
        all
    }

    fn accepted(
        mut self,
        made: Made,
        own: Option<UnitId>,
        entry: Entry<'_>,
        adjustment: &Adjustment,
        found: &BTreeMap<u32, Found>,
    ) -> Result<Program, Failure> {
        self.judge(&made)?;
        if let Some(own) = own {
            self.learn_closures(&made)?;
            self.built(own, &made);
        }
        self.notebook.files.extend(made.files.clone());
        let slots = self.slots(&entry, found);
        let gone: BTreeMap<String, Gone> = adjustment
            .gone
            .iter()
            .filter_map(|(slot, gone)| Some((entry.name(*slot)?.to_owned(), gone.clone())))
            .collect();
        let taken = entry.taken.iter().map(|taken| taken.name.to_owned()).collect();
        let symbol = entry.symbol;
        let mut program = self.finished(taken, Some((symbol, made)), slots);
        let nameless = gone.iter().filter(|(_, gone)| matches!(gone, Gone::Nameless { .. }));
        program.notes.extend(nameless.map(|(name, gone)| gone.story(name)));
        program.gone = gone;
        Ok(program)
    }

    /// What each slot becomes when it is put.
    fn slots(&self, entry: &Entry<'_>, found: &BTreeMap<u32, Found>) -> BTreeMap<u32, (String, Variable)> {
        let cell = self.cell.number;
        let mut all = BTreeMap::new();
        for (slot, taken) in (0..).zip(&entry.taken) {
            if let Some(variable) = self.notebook.variables.get(taken.name) {
                all.insert(slot, (taken.name.to_owned(), variable.clone()));
            }
        }
        for (slot, binding) in entry.bindings() {
            let type_name = match (entry.puts.get(&slot), found.get(&slot)) {
                (Some(super::entry::Put::Pointer(pointer)), _) => pointer.clone(),
                (Some(super::entry::Put::Boxed(object)), _) => format!("::std::boxed::Box<{object}>"),
                (_, Some(Found::Named(name))) => name.clone(),
                _ => continue,
            };
            all.insert(
                slot,
                (binding.name.clone(), Variable { type_name, mutable: binding.mutable, cell, bytes: 0 }),
            );
        }
        all
    }

    fn finished(
        self,
        taken: Vec<String>,
        entry: Option<(String, Made)>,
        slots: BTreeMap<u32, (String, Variable)>,
    ) -> Program {
        let (symbol, made) = entry.unzip();
        let units = &self.notebook.units;
        let libraries = made.map_or_else(Vec::new, |made: Made| {
            let on = made.needs.iter().filter_map(|id| units.library(*id).cloned()).collect();
            let on = units.libraries(&on).into_iter().filter(|other| *other != made.library);
            let counters = self.workshop.counting.as_ref().map(|counting| counting.library.clone());
            let below = self.workshop.linked.libraries().chain(counters);
            below.chain(on).chain([made.library.clone()]).collect()
        });
        Program {
            notebook: self.notebook,
            libraries,
            entry: symbol,
            taken,
            slots,
            gone: BTreeMap::new(),
            warnings: self.warnings,
            notes: self.notes,
        }
    }
}

/// Says of errors in other cells why they are there.
fn elsewhere(errors: &mut [Diagnostic], cell: u32) {
    for error in errors.iter_mut().filter(|one| one.level == Level::Error) {
        let other = error.spans.iter().find(|span| span.primary && span.cell != cell);
        if let Some(other) = other.map(|span| span.cell) {
            let help = format!(
                "cell[{other}] was built again, since something that it uses is another thing now: change it, and run it again"
            );
            error.children.push(note(Level::Help, help));
        }
    }
}

/// The cells in which errors are.
fn failing(errors: &[Diagnostic]) -> BTreeSet<u32> {
    let errors = errors.iter().filter(|one| one.level == Level::Error);
    errors.flat_map(|one| one.spans.iter().filter(|span| span.primary)).map(|span| span.cell).collect()
}

/// Whether a message says that there is no such name.
fn missing_name(message: &Message) -> bool {
    let codes = ["E0405", "E0412", "E0422", "E0423", "E0425", "E0433", "E0531", "E0574", "E0599"];
    message.code.as_ref().is_some_and(|code| codes.contains(&code.code.as_str()))
}

fn write(folder: &Path, name: &str, made: &Crate) -> std::io::Result<BTreeMap<PathBuf, Arc<Source>>> {
    std::fs::create_dir(folder.join(name))?;
    let mut files = BTreeMap::new();
    for file in &made.files {
        let path = Path::new(name).join(&file.name);
        std::fs::write(folder.join(&path), file.source.text())?;
        files.insert(path, Arc::new(file.source.clone()));
    }
    Ok(files)
}

pub(super) fn unwritable(folder: &Path, error: &std::io::Error) -> Trouble {
    Trouble {
        what: format!("the cell cannot be compiled in {}: {error}", folder.display()),
        remedy: Some("make room there, or make it writable; XDG_CACHE_HOME names another place".to_owned()),
    }
}

/// The compiler said no, and nothing that could be shown on the cell.
fn unexplained(compiled: &Compiled) -> Diagnostic {
    let errors = compiled.messages.iter().filter(|message| message.level == "error");
    let all: Vec<&str> = errors.map(|message| message.message.as_str()).collect();
    let message = if all.is_empty() { "rustc failed without a word".to_owned() } else { all.join("\n") };
    Diagnostic { level: Level::Error, code: None, message, spans: Vec::new(), children: Vec::new() }
}

//! A turn taken by code of each kind: run, counted, or kept, as the turn says.

use super::{Form, Task, Turn, Turns};
use crate::each::{Inputs, count_each, count_fallible_each, run_each, run_fallible_each};
use crate::loops::{
    count_async, count_fallible, count_fallible_async, count_plain, run_async, run_fallible,
    run_fallible_async, run_plain,
};

impl Turns<'_> {
    /// Takes the turn with `body`.
    pub fn run<T>(&mut self, turn: Turn, body: impl FnMut() -> T) {
        self.run_keeping(turn, &mut None, body);
    }

    /// The same, and what it returns when it is to be kept stands in `kept`.
    pub fn run_keeping<T>(&mut self, turn: Turn, kept: &mut Option<T>, mut body: impl FnMut() -> T) {
        match turn.task {
            Task::Introduce => self.introduce(Form::Plain),
            Task::Run(size) => self.done(run_plain(&*self.clock, size, body)),
            Task::Count => {
                let counts = count_plain(self.counter(), body);
                self.counted(counts);
            }
            Task::Once => {
                *kept = Some(body());
                self.kept();
            }
        }
    }

    /// Takes the turn with code that may fail. Err: the code did.
    pub fn try_run<T, E>(&mut self, turn: Turn, body: impl FnMut() -> Result<T, E>) -> Result<(), E> {
        self.try_run_keeping(turn, &mut None, body)
    }

    /// The same, and what it returns when it is to be kept stands in `kept`.
    pub fn try_run_keeping<T, E>(
        &mut self,
        turn: Turn,
        kept: &mut Option<T>,
        mut body: impl FnMut() -> Result<T, E>,
    ) -> Result<(), E> {
        match turn.task {
            Task::Introduce => self.introduce(Form::Plain),
            Task::Run(size) => self.done(run_fallible(&*self.clock, size, body)?),
            Task::Count => {
                let counts = count_fallible(self.counter(), body)?;
                self.counted(counts);
            }
            Task::Once => {
                *kept = Some(body()?);
                self.kept();
            }
        }
        Ok(())
    }

    /// Takes the turn with code that may wait.
    pub async fn run_async<T>(&mut self, turn: Turn, body: impl AsyncFnMut() -> T) {
        self.run_keeping_async(turn, &mut None, body).await;
    }

    /// The same, and what it returns when it is to be kept stands in `kept`.
    pub async fn run_keeping_async<T>(
        &mut self,
        turn: Turn,
        kept: &mut Option<T>,
        mut body: impl AsyncFnMut() -> T,
    ) {
        match turn.task {
            Task::Introduce => self.introduce(Form::Async),
            Task::Run(size) => self.done(run_async(&*self.clock, size, body).await),
            Task::Count => {
                let counts = count_async(self.counter(), body).await;
                self.counted(counts);
            }
            Task::Once => {
                *kept = Some(body().await);
                self.kept();
            }
        }
    }

    /// Takes the turn with code that may wait and fail. Err: the code did.
    pub async fn try_run_async<T, E>(
        &mut self,
        turn: Turn,
        body: impl AsyncFnMut() -> Result<T, E>,
    ) -> Result<(), E> {
        self.try_run_keeping_async(turn, &mut None, body).await
    }

    /// The same, and what it returns when it is to be kept stands in `kept`.
    pub async fn try_run_keeping_async<T, E>(
        &mut self,
        turn: Turn,
        kept: &mut Option<T>,
        mut body: impl AsyncFnMut() -> Result<T, E>,
    ) -> Result<(), E> {
        match turn.task {
            Task::Introduce => self.introduce(Form::Async),
            Task::Run(size) => self.done(run_fallible_async(&*self.clock, size, body).await?),
            Task::Count => {
                let counts = count_fallible_async(self.counter(), body).await?;
                self.counted(counts);
            }
            Task::Once => {
                *kept = Some(body().await?);
                self.kept();
            }
        }
        Ok(())
    }

    /// Takes the turn with code that is given what `setup` returns, each time anew. `inputs` is the same in all turns.
    pub fn run_each<S, T>(
        &mut self,
        turn: Turn,
        inputs: &mut Inputs<S, T>,
        mut setup: impl FnMut() -> S,
        mut body: impl FnMut(S) -> T,
    ) {
        match turn.task {
            Task::Introduce => self.introduce(Form::Each { most_inputs: inputs.most() }),
            Task::Run(size) => self.done(run_each(&*self.clock, size, inputs, setup, body)),
            Task::Count => {
                let counts = count_each(self.counter(), setup, body);
                self.counted(counts);
            }
            Task::Once => {
                drop(body(setup()));
                self.kept();
            }
        }
    }

    /// The same with code that may fail. Err: the code did.
    pub fn try_run_each<S, T, E>(
        &mut self,
        turn: Turn,
        inputs: &mut Inputs<S, T>,
        mut setup: impl FnMut() -> S,
        mut body: impl FnMut(S) -> Result<T, E>,
    ) -> Result<(), E> {
        match turn.task {
            Task::Introduce => self.introduce(Form::Each { most_inputs: inputs.most() }),
            Task::Run(size) => self.done(run_fallible_each(&*self.clock, size, inputs, setup, body)?),
            Task::Count => {
                let counts = count_fallible_each(self.counter(), setup, body)?;
                self.counted(counts);
            }
            Task::Once => {
                drop(body(setup())?);
                self.kept();
            }
        }
        Ok(())
    }
}

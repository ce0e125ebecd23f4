//! Whether two results are equal, where their types can be compared at all.

/// Two results, of types of which nothing is known.
pub struct Both<'a, A, B>(pub &'a Option<A>, pub &'a Option<B>);

/// Results that can be compared.
pub trait Comparable {
    /// Whether they are equal; none if one of them is not there.
    fn agree(&self) -> Option<bool>;
}

impl<A: PartialEq<B>, B> Comparable for &Both<'_, A, B> {
    fn agree(&self) -> Option<bool> {
        Some(self.0.as_ref()? == self.1.as_ref()?)
    }
}

/// Results that cannot: the method of this name is found where there is no other.
pub trait Incomparable {
    /// It is not known.
    fn agree(&self) -> Option<bool>;
}

impl<A, B> Incomparable for Both<'_, A, B> {
    fn agree(&self) -> Option<bool> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::needless_borrow, reason = "what is generated has to find either method")]
    fn what_can_be_compared_is() {
        struct Opaque;
        let (one, same, other) = (Some(1), Some(1), Some(2));
        assert_eq!((&&Both(&one, &same)).agree(), Some(true));
        assert_eq!((&&Both(&one, &other)).agree(), Some(false));
        assert_eq!((&&Both(&one, &None::<i32>)).agree(), None);
        assert_eq!((&&Both(&one, &Some("1"))).agree(), None);
        assert_eq!((&&Both(&Some(Opaque), &Some(Opaque))).agree(), None);
        assert_eq!((&&Both(&Some(vec![1]), &Some([1]))).agree(), Some(true));
    }
}

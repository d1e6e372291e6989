//! What of a long timeline changed: a page need not be told ten thousand posts because one came.

use serde::Serialize;
use ts_rs::TS;

use super::{PostRow, Timeline};

/// A change of the timeline, for a page that holds the timeline of `base`.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TimelineChange {
    /// Revision after the change.
    #[ts(type = "number")]
    pub revision: u64,
    /// Revision of the timeline that this builds upon.
    #[ts(type = "number")]
    pub base: u64,
    /// So many posts at the beginning stay as they are.
    pub head: u32,
    /// So many posts at the end stay as they are.
    pub tail: u32,
    /// The new timeline; of its posts only those between.
    pub timeline: Timeline,
}

impl TimelineChange {
    /// From the timeline of one revision to that of another; nothing if the whole is no more than the change.
    #[must_use]
    pub fn between(old: (u64, &Timeline), new: (u64, &Timeline)) -> Option<Self> {
        let ((base, old), (revision, new)) = (old, new);
        if old.channel != new.channel {
            return None;
        }
        let same = |(one, other): &(&PostRow, &PostRow)| one == other;
        let shorter = old.posts.len().min(new.posts.len());
        let head = old.posts.iter().zip(&new.posts).take_while(same).count();
        let tail = old
            .posts
            .iter()
            .rev()
            .zip(new.posts.iter().rev())
            .take(shorter - head)
            .take_while(same)
            .count();
        if head + tail == 0 {
            return None;
        }
        let timeline = Timeline {
            channel: new.channel.clone(),
            posts: new.posts[head..new.posts.len() - tail].to_vec(),
            loading: new.loading,
            loading_older: new.loading_older,
            at_start: new.at_start,
            first_unread: new.first_unread.clone(),
            typing: new.typing.clone(),
        };
        Some(Self {
            revision,
            base,
            head: u32::try_from(head).ok()?,
            tail: u32::try_from(tail).ok()?,
            timeline,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::PostKind;
    use crate::snapshot::Delivery;

    fn row(id: &str) -> PostRow {
        PostRow {
            id: id.into(),
            author: "u1".into(),
            author_name: String::new(),
            message: id.to_owned(),
            kind: PostKind::Message,
            create_at: 1,
            edited: false,
            root: None,
            reply_count: 0,
            delivery: Delivery::Sent,
            reactions: Vec::new(),
            files: Vec::new(),
            editable: false,
            deletable: false,
            following: false,
        }
    }

    fn timeline(ids: &str) -> Timeline {
        Timeline {
            channel: Some("c1".into()),
            posts: ids.split_whitespace().map(row).collect(),
            ..Timeline::default()
        }
    }

    /// As the page does it.
    fn apply(old: &Timeline, change: &TimelineChange) -> Vec<PostRow> {
        let (head, tail) = (change.head as usize, change.tail as usize);
        let mut posts = old.posts[..head].to_vec();
        posts.extend(change.timeline.posts.iter().cloned());
        posts.extend_from_slice(&old.posts[old.posts.len() - tail..]);
        posts
    }

    #[test]
    fn whatever_changes_the_page_ends_with_the_new_posts_and_is_told_few() {
        for (old, new, told) in [
            ("a b c", "a b c d", 1),
            ("c d", "a b c d", 2),
            ("a b c", "a c", 0),
            ("a b c", "a x c", 1),
            ("a a a", "a a", 0),
            ("a", "a a a", 2),
            ("a b", "a b", 0),
            ("a b c d", "a d", 0),
        ] {
            let (old, new) = (timeline(old), timeline(new));
            let change = TimelineChange::between((3, &old), (5, &new));
            let change = change.unwrap_or_else(|| panic!("{old:?} {new:?}"));
            assert_eq!(apply(&old, &change), new.posts);
            assert_eq!(change.timeline.posts.len(), told);
            assert_eq!((change.base, change.revision), (3, 5));
        }
    }

    #[test]
    fn what_has_nothing_in_common_is_told_as_a_whole() {
        let other = Timeline {
            channel: Some("c2".into()),
            ..timeline("a b")
        };
        assert_eq!(
            TimelineChange::between((1, &timeline("a b")), (2, &other)),
            None
        );
        assert_eq!(
            TimelineChange::between((1, &timeline("")), (2, &timeline("a b"))),
            None
        );
    }
}

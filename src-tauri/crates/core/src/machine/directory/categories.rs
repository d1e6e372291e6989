//! How channels are grouped: the person's categories, favourites among them.

use crate::id::{CategoryId, ChannelId, TeamId};
use crate::model::{Category, CategoryKind};
use crate::port::Request;
use crate::snapshot::CategoryRow;

use super::super::out::{Asked, Out, Part};
use super::{Directory, Known};

impl Directory {
    /// Asks for the categories of a team.
    pub(crate) fn load_categories(team: &TeamId, out: &mut Out) {
        if !out.waits(|asked| *asked == Asked::Categories(team.clone())) {
            out.ask(
                Asked::Categories(team.clone()),
                Request::LoadCategories(team.clone()),
            );
        }
    }

    /// They came.
    pub(crate) fn categories_came(
        &mut self,
        team: &TeamId,
        categories: Vec<Category>,
        out: &mut Out,
    ) {
        self.categories.retain(|category| category.team != *team);
        self.categories.extend(categories);
        out.dirty(Part::Directory);
    }

    /// Puts a channel among the favourites of its team (of the open one, for direct channels), or takes it out. Shown
    /// at once; the server is asked to do the same.
    pub(crate) fn set_favorite(&mut self, channel: &ChannelId, on: bool, out: &mut Out) {
        let (Some(team), Some(known)) = (self.team_for(channel).cloned(), self.channel(channel))
        else {
            return;
        };
        let kind = match (on, known.kind.is_personal()) {
            (true, _) => CategoryKind::Favorites,
            (false, true) => CategoryKind::Direct,
            (false, false) => CategoryKind::Channels,
        };
        let of_team = |category: &&mut Category| category.team == team;
        let mut changed = Vec::new();
        for category in self.categories.iter_mut().filter(of_team) {
            let before = category.channels.clone();
            category.channels.retain(|id| id != channel);
            if category.kind == kind {
                category.channels.insert(0, channel.clone());
            }
            if category.channels != before {
                changed.push(category.clone());
            }
        }
        self.put(team, changed, out);
    }

    /// Folds a category, or unfolds it.
    pub(crate) fn fold(&mut self, id: &CategoryId, folded: bool, out: &mut Out) {
        let found = self
            .categories
            .iter_mut()
            .find(|category| category.id == *id);
        if let Some(category) = found.filter(|category| category.collapsed != folded) {
            category.collapsed = folded;
            let (team, changed) = (category.team.clone(), vec![category.clone()]);
            self.put(team, changed, out);
        }
    }

    fn put(&self, team: TeamId, changed: Vec<Category>, out: &mut Out) {
        if !changed.is_empty() {
            out.ask(Asked::PutCategories(team), Request::PutCategories(changed));
            out.dirty(Part::Directory);
        }
    }

    /// For the snapshot. `here`: what is shown at all, in the order without categories.
    pub(super) fn draw_categories(&self, here: &[(&Known, String)]) -> Vec<CategoryRow> {
        let Some(team) = &self.team else {
            return Vec::new();
        };
        let categories: Vec<_> = self
            .categories
            .iter()
            .filter(|category| category.team == *team)
            .collect();
        let home = |known: &Known| {
            let id = &known.channel.id;
            let direct = known.channel.kind.is_personal();
            let listed = categories
                .iter()
                .position(|category| category.channels.contains(id));
            let kind = if direct {
                CategoryKind::Direct
            } else {
                CategoryKind::Channels
            };
            listed.or_else(|| categories.iter().position(|category| category.kind == kind))
        };
        let homes: Vec<_> = here.iter().map(|(known, _)| home(known)).collect();
        categories
            .iter()
            .enumerate()
            .map(|(at, category)| {
                let mut rows: Vec<_> = here
                    .iter()
                    .zip(&homes)
                    .filter(|(_, home)| **home == Some(at))
                    .map(|((known, _), _)| *known)
                    .collect();
                let place = |known: &Known| {
                    let listed = category
                        .channels
                        .iter()
                        .position(|id| *id == known.channel.id);
                    listed.unwrap_or(usize::MAX)
                };
                match (category.sorting.as_str(), category.kind) {
                    ("recent", _) => rows.sort_by_key(|known| -known.channel.last_post_at),
                    ("manual", _) | (_, CategoryKind::Favorites | CategoryKind::Custom) => {
                        rows.sort_by_key(|known| place(known));
                    }
                    // As they come: channels by name, people by whom we spoke with last.
                    _ => {}
                }
                CategoryRow {
                    id: category.id.clone(),
                    kind: category.kind,
                    name: category.name.clone(),
                    folded: category.collapsed,
                    channels: rows
                        .into_iter()
                        .map(|known| known.channel.id.clone())
                        .collect(),
                }
            })
            .filter(|row| !row.channels.is_empty())
            .collect()
    }
}

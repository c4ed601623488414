//! Every law of the contract on SQLite, one test each.
use store::conformance::LAWS;

fn run(name: &str) {
    let (_, law) = LAWS.iter().find(|(law, _)| *law == name).expect("listed");
    let folders = std::cell::RefCell::new(Vec::new());
    let open = || -> Box<dyn store::Store> {
        let folder = crate::temp();
        let store = crate::open(folder.path());
        folders.borrow_mut().push(folder);
        Box::new(store)
    };
    law(&open);
}

macro_rules! on_sqlite {
    ($($law:ident),* $(,)?) => {
        $(#[test] fn $law() { run(stringify!($law)); })*

        #[test]
        fn every_law_has_a_test() {
            let tested = [$(stringify!($law)),*];
            assert_eq!(LAWS.iter().map(|law| law.0).collect::<Vec<_>>(), tested);
        }
    };
}

on_sqlite! {
    a_batch_shows_to_whom_its_labels_permit_and_to_nobody_else,
    a_batch_half_hidden_looks_like_one_of_half_the_size,
    a_hidden_batch_moves_nothing_in_a_line,
    marking_definitions_stand_before_the_rest_of_their_batch,
    chunk_borders_do_not_show,
    a_staged_batch_is_invisible_until_it_is_published,
    known_content_is_no_new_instance,
    a_second_road_releases_late,
    a_hidden_road_into_a_collection_does_not_show_the_object_there,
    order_is_by_the_road_that_permits_the_reader,
    slots_are_never_reused_and_never_move,
    a_line_that_grows_by_single_objects_keeps_its_slots_when_rows_are_merged,
    thousands_at_once_reach_a_reader_that_is_paging,
    a_page_ends_where_it_is_told_to,
    realms_never_meet,
    a_line_with_late_releases_keeps_its_slots_when_rows_are_merged,
    rows_merged_into_two_runs_keep_their_slots,
    what_needs_a_hidden_object_is_hidden,
    the_arrival_of_a_target_releases_what_waited_for_it,
    cycles_are_visible_unless_one_of_them_needs_something_hidden,
    a_hidden_target_is_like_an_absent_one,
    losing_a_target_withdraws_what_needs_it,
    open_collections_excuse_optional_references_only,
    well_known_markings_and_the_object_itself_need_nothing,
    a_contributor_sees_what_it_brought_whatever_it_refers_to,
    a_marking_is_there_where_its_definition_is_seen_by_who_may_define_it,
    a_definition_counts_for_the_roads_of_its_own_party,
    a_required_target_that_goes_is_missed_in_an_open_collection_too,
    an_id_whose_instances_go_one_after_the_other_is_missed,
    a_definition_that_goes_with_its_creator_takes_what_it_marks,
    who_brought_it_and_no_more_reads_there_needs_what_it_needs,
    a_hidden_newer_version_leaves_the_visible_one_the_latest,
    a_reader_reads_back_what_it_brought,
    nobody_takes_an_id_over_with_a_newer_version,
    the_choice_between_instances_of_a_version_sticks,
    what_comes_after_a_revoked_version_is_not_the_latest,
    objects_without_versions_have_their_slot_as_version,
    only_the_latest_spec_version_is_given_unless_asked,
    versions_are_found_by_keyword_and_by_instant,
    types_and_ids_are_found,
    an_own_road_goes_before_who_occupied_the_id,
    who_may_speak_for_the_creator_goes_before_who_carries,
    objects_without_versions_are_nobodys,
    a_version_does_not_follow_what_has_none,
    what_follows_from_what_follows_comes_with_it,
    what_a_reader_brought_itself_takes_no_id_over_in_its_own_line,
    rights_release_and_withdraw,
    the_same_rights_again_change_nothing,
    a_preview_tells_what_the_act_would_do_and_does_nothing,
    a_reader_that_moves_between_audiences_keeps_what_both_see,
    a_line_closed_and_opened_again_starts_with_new_slots,
    a_relabel_releases_and_withdraws,
    a_removed_chain_hides_the_object_and_its_return_shows_it,
    a_receipt_is_refused_once_the_epoch_has_moved,
    receipts_tell_who_was_given_what,
    a_poll_is_idle_until_something_comes_or_is_offered,
    every_leaf_follows_from_the_one_before,
    the_quarantine_lists_shows_and_drops,
    what_waited_for_a_marking_comes_with_it_as_if_it_had_been_known,
    rights_that_change_move_the_epoch_whatever_they_are_called,
    a_line_opened_later_shows_every_version,
    what_is_said_of_all_roads_together_binds_too,
    a_copy_shows_to_whom_it_was_made_for_alone,
    what_may_need_a_copy_anew_is_due_until_it_was_looked_at,
    nothing_is_due_where_nobody_redacts,
    who_gets_the_whole_in_place_of_a_copy_is_told_apart,
    what_was_given_and_is_taken_back_leaves_a_notice_until_it_is_given_again,
    a_line_that_closes_leaves_notices_until_it_opens_again,
    hidden_material_does_not_show_in_notices,
    content_that_gives_way_to_other_content_is_told_as_replaced,
    what_is_replaced_between_page_and_receipt_is_not_given,
    bodies_that_wait_are_kept_with_their_status_and_take_turns,
    objects_status_and_end_of_a_body_are_one_commit,
    an_override_releases_and_takes_back,
    an_override_goes_no_way_that_there_is_not,
    an_override_ends_with_any_of_its_roads,
    what_persons_decide_is_listed_by_state,
    a_request_is_answered_once,
    collections_are_unique_and_can_be_changed,
    accounts_keep_their_number_for_ever,
    secrets_are_made_once,
    a_pull_moves_with_its_objects,
    alerts_come_with_what_they_are_about_and_once,
    statuses_belong_to_their_reader_and_go_when_they_are_old,
    markings_and_states_are_listed,
    instances_tell_their_roads,
    markings_go_along_with_what_they_mark,
    a_copy_is_a_store,
    what_does_not_exist_is_said_so,
    what_a_party_brings_is_counted,
    instances_of_an_id_are_bounded_for_each_party,
}

"""What all tests share: generated cases are the same in every run, and no test is judged by its speed.

``pytest -m "not slow"`` is a verdict in less than a minute: every sixteenth case of each test, and none of those that
take a second or more for the cases that would be left.
"""

from collections import Counter

import pytest
from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=60)
settings.load_profile("repeatable")

_EVERY = 16
_SLOW = {
    "test_enough_works", "test_typos_are_found", "test_a_lower_order_is_a_prefix", "test_a_right_program_passes",
    "test_accuracy_of_mixed_derivatives", "test_airy", "test_an_example_fails_when_its_rule_is_wrong",
    "test_an_interrupt_leaves_no_chunk_without_its_memory", "test_as_a_command_of_its_own",
    "test_as_people_write_them", "test_binary", "test_calls_nest", "test_calls_take_several_directions",
    "test_check_derivatives_holds_all_ways_against_each_other", "test_compiled_hessians",
    "test_derivatives_of_high_order_have_exact_factorials", "test_derivatives_that_are_flat_by_their_form",
    "test_entire_functions_on_the_edge_grid", "test_even_functions_of_kinks",
    "test_even_functions_of_kinks_to_fourth_order", "test_every_row", "test_every_ufunc_in_other_types",
    "test_every_way_gives_the_same_second_derivatives", "test_fateman_polynomials_are_exact",
    "test_functions_of_a_matrix_against_exact_coefficients", "test_identities_of_series",
    "test_it_runs_without_an_error", "test_no_array_function_is_wrong", "test_no_special_function_is_wrong",
    "test_no_ufunc_is_wrong", "test_of_one_argument", "test_of_several_results", "test_plot_writes_a_picture",
    "test_prefix_of_higher_orders", "test_programs", "test_second_derivatives_agree",
    "test_special_points_against_exact_series", "test_the_cache_is_bounded", "test_the_examples_run",
    "test_unary_float64", "test_ways_agree_on_arrays", "test_what_is_absent_stays_absent",
    "test_what_works_forward_works_backward", "test_wronski_determinants",
}  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    cases: Counter[str] = Counter()
    for item in items:
        test = item.nodeid.partition("[")[0]
        if cases[test] % _EVERY or test.rpartition("::")[2] in _SLOW:
            item.add_marker(pytest.mark.slow)
        cases[test] += 1

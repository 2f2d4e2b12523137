import pytest
import torch

from fsdl_deploy.training.distillation import TRUTH, distillation_loss


def test_who_agrees_with_the_teacher_has_the_loss_of_the_truth_alone():
    student = torch.randn(2, 5, 11).log_softmax(2)
    loss = distillation_loss(torch.tensor(2.0), student, student.clone(), torch.tensor([5, 3]))
    assert loss.item() == pytest.approx(2.0 * TRUTH)


def test_only_a_cards_own_steps_count():
    torch.manual_seed(0)
    student, teacher = torch.randn(2, 2, 5, 11).log_softmax(3)
    lengths, none = torch.tensor([5, 3]), torch.tensor(0.0)
    before = distillation_loss(none, student, teacher, lengths)
    teacher[1, 3:] = teacher[0, :2]
    assert distillation_loss(none, student, teacher, lengths) == before > 0
    teacher[1, 2] = teacher[0, 2]
    assert distillation_loss(none, student, teacher, lengths) != before

"""Execution: the same jobs in this process, on worker processes of this machine, or on a Ray cluster."""

from arena.execution.executor import Executor, Job, JobFault, Outcome, Ticket, in_turn, lent, make_executor

__all__ = ["Executor", "Job", "JobFault", "Outcome", "Ticket", "in_turn", "lent", "make_executor"]

"""What the columns of rosters are called elsewhere; the first name that a header has is the one suggested."""

from __future__ import annotations

from collections.abc import Mapping

SYNONYMS: Mapping[str, tuple[str, ...]] = {
    # the contract before the person, and the person before the seat: a worker with two contracts has two of the first
    "reference": (
        "Engagement ID", "Work Order ID", "Contract ID", "Contract Number", "Contract No", "Contract", "Assignment ID",
        "Assignment Number", "Placement ID", "Engagement", "Work Order", "Work Order Number", "Work Order No",
        "WO Number", "WO ID", "WO", "Reference",
    ),
    "worker_id": (
        "Person ID", "WAND Worker ID", "Worker ID", "Contingent Worker ID", "Worker Number", "Worker No", "Worker GUID",
        "Contractor ID", "External ID", "Employee ID", "Employee Number", "Employee No", "Emp ID", "Emp Num", "Emp No",
        "Personnel Number", "Personnel No", "Staff ID", "Security ID", "User ID", "ID",
    ),
    "name": ("Full Name", "Worker Name", "Name", "Display Name", "Worker", "Contractor", "Employee Name"),
    "first_name": (
        "Worker First Name", "First Name", "Given Name", "Legal First Name", "Preferred First Name", "Forename",
    ),
    "last_name": ("Worker Last Name", "Last Name", "Surname", "Family Name", "Legal Last Name"),
    "email": (
        "Worker Email Address", "Worker Email", "Email Address", "Email", "Work Email", "Mail", "AD Email", "E-mail",
    ),
    "vendor": (
        "Vendor Name", "Vendor", "Supplier Name", "Supplier", "Staffing Company", "Agency", "Agency Name", "Company",
        "Company Name", "Vendor Number", "Supplier Code", "Supplier Number",
    ),
    "sponsor": (
        "Sponsor Email", "Sponsor", "Manager Email", "Manager E-mail", "Supervisor Email", "Manager ID", "Manager GUID",
        "Manager Reference", "Owner Employee ID", "Work Order Owner Employee ID", "Manager", "Manager Name",
        "Hiring Manager", "Supervisor", "Reports To", "Work Order Owner", "Owner",
        "Boss",
    ),
    "role": ("Role", "Job Title", "Title", "Position", "Job Posting Title", "Job", "Function"),
    "site": (
        "Site Code", "Site", "Site Name", "Work Location", "Location Code", "Location", "Office", "Locality", "City",
        "Place of Work", "Place",
    ),
    "zone": ("Time Zone", "TZ", "Zone"),
    "first_day": (
        "First Day", "Start Date", "Contract Start Date", "Assignment Start Date", "Work Order Start Date", "Hire Date",
        "Date of Hire", "Status Hire Date", "Valid From", "Calendar Start Day", "Begin Date", "Date of Joining",
        "Joining Date", "Join Date", "Start", "Begin", "From",
    ),
    "actual_last_day": (
        "Actual End Date", "Actual Last Day", "Status Termination Last Day of Work", "Last Date Worked",
        "Last Day Worked", "Last Day of Work", "Termination Date", "Date of Termination", "Status Termination Date",
        "Closed Date",
    ),
    "last_day": (
        "Last Day", "Estimated End Date", "Expected End Date", "Scheduled End Date", "Planned End Date",
        "Contract End Date", "Assignment End Date", "Work Order End Date", "End Date", "Status End Employment Date",
        "Last Working Day", "Valid Till", "Valid To", "Valid Until", "Calendar End Day", "Exit Date", "Expiry Date",
        "Expiration Date", "Leave Date", "End", "Finish Date", "Finish", "Until", "To",
    ),
    "status": (
        "Worker Status", "Status", "Engagement Status", "Assignment Status", "Contract Status", "Employee Status",
        "Employment Status", "Active",
    ),
    "worker_type": (
        "Worker Type", "Employee Type", "Emp Type", "Employment Type", "Contract Type",
        "Employee Classification Type",
    ),
}  # fmt: skip
